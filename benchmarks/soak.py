"""``make soak``: minutes of mixed load with faults, and at each rest everything is compared with what Omni holds.

Exit status 1 when something failed; ``benchmarks/README.md`` says what is looked at.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks.processes import Target, gateway
from benchmarks.simulator_scale import make_clusters, simulator, wait_ready
from benchmarks.soak_checks import Ledger
from benchmarks.soak_compare import KINDS, Comparison
from benchmarks.soak_faults import PATIENCE, Faults
from benchmarks.soak_figures import Rest, Verdict, head, look, streams_come_to, verdicts
from benchmarks.soak_load import Load
from benchmarks.soak_reading import fixed
from benchmarks.soak_watches import KeptWatch
from benchmarks.soak_writing import PATHS
from omni_gateway.omni import OmniClient, OmniError

FLEET, CLUSTERS, WORKERS = 300, 4, 2
RESTS = 9
SETTINGS = {"OMNI_GATEWAY_OMNI_TIMEOUT": str(PATIENCE)}
REOPENED_SECONDS = 30.0


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=10.0, help="of load; the rests come on top (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed} (SEED={options.seed} draws the same)", flush=True)
    with (
        simulator(FLEET, 60, faults=True) as running,
        # As patient as the gateway, for its own writes meet the same faults.
        OmniClient(replace(running.config, timeout=PATIENCE)) as omni,
    ):
        make_clusters(omni, [f"soak-{number}" for number in range(CLUSTERS)])
        wait_ready(omni, CLUSTERS)
        with gateway(running.config, workers=WORKERS, settings=SETTINGS) as target:
            faults = Faults(running.admin_address, options.seed)
            ledger = Ledger(faults.excuse)
            try:
                rests, compared = soak(target, omni, faults, ledger, options.minutes, options.seed)
            finally:
                faults.close()
    return report(ledger, faults, rests, compared, options.minutes)


def soak(
    target: Target, omni: OmniClient, faults: Faults, ledger: Ledger, minutes: float, seed: int
) -> tuple[list[Rest], int]:
    """Load and rest in turns; return the rests and how many answers were compared at them."""
    listed = {kind.path: omni.resources.list(kind.type).items for kind in KINDS if kind.type not in PATHS.values()}
    ids = {path: sorted(item["metadata"]["id"] for item in items) for path, items in listed.items()}
    load = Load(target, ledger, omni, seed, fixed(ids))
    comparison = Comparison(target, omni)
    rests: list[Rest] = []
    print(head(WORKERS), flush=True)
    start = time.monotonic()
    try:
        for _ in range(RESTS):
            faults.resume()
            load.resume()
            time.sleep(minutes * 60 / RESTS)
            faults.clear()
            load.pause()
            if not _until(lambda: _answers(omni), REOPENED_SECONDS):
                raise TimeoutError("Omni does not answer once the faults are over")
            found = comparison.run() + watches_agree(load.kept, omni)
            for text in found:
                ledger.found("difference at rest", text)
            streams = streams_come_to(target, lambda: len(load.kept))
            rests.append(look(target, time.monotonic() - start, streams, len(found)))
            print(rests[-1], flush=True)
    finally:
        load.close()
    return rests, comparison.compared


def _answers(omni: OmniClient) -> bool:
    """Probe Omni, which also closes the client's circuit breaker after an outage."""
    try:
        omni.ping()
    except OmniError:
        return False
    return True


def watches_agree(kept: list[KeptWatch], omni: OmniClient) -> list[str]:
    """Hold what the kept watches were told against what Omni holds; wait until they are open and have got it."""
    found = []
    for watch in kept:

        def told(watch: KeptWatch = watch) -> bool:
            return watch.open and watch.objects == held_of(watch, omni)

        if not _until(told, REOPENED_SECONDS):
            held = held_of(watch, omni)
            found.append(
                f"the kept watch of {watch.path} (open: {watch.open}, opened {watch.opened} times) holds"
                f" {sorted(watch.objects.items() - held.items())}, Omni {sorted(held.items() - watch.objects.items())}"
            )
    return found


def held_of(watch: KeptWatch, omni: OmniClient) -> dict[str, int]:
    """Return the ids and versions that a watch should have been told of."""
    path, _, query = watch.path.partition("?")
    items = omni.resources.list(PATHS[path], selectors=[query.removeprefix("label_selector=")]).items
    return {item["metadata"]["id"]: int(item["metadata"]["version"]) for item in items}


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def report(ledger: Ledger, faults: Faults, rests: list[Rest], compared: int, minutes: float) -> int:
    """Print what came and the verdicts; return the exit status."""
    print("\nfaults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.came.items())))
    kinds: dict[str, dict[int, int]] = {}
    for (what, status), count in sorted(ledger.answers.items()):
        kinds.setdefault(what, {})[status] = count
    for what, statuses in kinds.items():
        print(f"  {what:<44}" + ", ".join(f"{status}: {count}" for status, count in statuses.items()))
    print(f"answered 503 or 504 while a fault was on: {sum(ledger.excused.values())}")
    print(f"answers compared at rest: {compared}; watches that the simulator holds: not known, it does not tell\n")
    found = verdicts(rests, 2, minutes)
    wrong = {kind: count for kind, count in ledger.wrong.items() if kind != "difference at rest"}
    found.append(Verdict("wrong answers under load", str(sum(wrong.values())), not wrong))
    for each in found:
        print(each)
    for kind, count in sorted(ledger.wrong.items()):
        print(f"  {count} times: {kind}")
    for text in ledger.samples:
        print(f"  e.g. {text}")
    failed = any(each.ok is False for each in found)
    print("FAILED" if failed else "passed")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
