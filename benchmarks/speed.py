"""``make bench-speed``: reads from the cache and past it, beside constant views and bare calls, in one table.

It fails nothing; ``benchmarks/README.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles
from urllib.parse import urlsplit

from benchmarks.processes import Target, gateway
from benchmarks.reading import make_objects, remove_objects
from benchmarks.simulator_scale import STATUSES, make_clusters, simulator, wait_ready
from benchmarks.slow_clients import raise_file_limit
from benchmarks.speed_changes import end_writing, visible, writers
from benchmarks.speed_load import answer, load, need_wrk, resident_megabytes
from benchmarks.speed_rows import CHOSEN, COLD, HEAD, LABEL, LIST, ONE, WARM, cold, warm
from benchmarks.speed_streams import busy, fan_out, watchers
from omni_gateway.omni import OmniClient, OmniConfig, types

PARTS = ("warm", "cold", "changes", "memory", "streams")
WORKERS = 2
READ_FOR_MEMORY = (
    "machines",
    "clusters",
    "machinesets",
    "machinesetnodes",
    "clustermachines",
    "links",
    "configpatches",
)
ROOM = {"OMNI_GATEWAY_THREADS": "256", "OMNI_GATEWAY_MAX_STREAMS": "250", "OMNI_GATEWAY_MAX_STREAMS_PER_CALLER": "250"}
WRITES = 200
BURST = 10_000
HITS_IN_A_ROW = 24


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make bench-speed")
    parser.add_argument("--target", help="URL of a gateway that runs already (token: BENCH_TOKEN; Omni: OMNI_ENDPOINT)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, 1,000 machines, few clusters")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts of the table")
    options = parser.parse_args()
    need_wrk()
    raise_file_limit()
    load_average = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load_average}")
    with ExitStack() as stack:
        config = omni_of(stack, options.target, 1000 if options.quick else 10_000)
        omni = stack.enter_context(OmniClient(config))
        machine = prepare(stack, omni, 5 if options.quick else 200)
        constant = stack.enter_context(gateway(config, workers=WORKERS, module="benchmarks.speed_constant"))
        with served(options.target, config, {}) as target:
            measure(target, constant, omni, options, machine)
        if "streams" in options.only:
            with served(options.target, config, ROOM) as target:
                streams(target, omni, 20 if options.quick else 500)


def omni_of(stack: ExitStack, target: str | None, fleet: int) -> OmniConfig:
    """Return the Omni beneath a gateway that runs already, the one that the environment names, or a simulator."""
    if target or os.environ.get("OMNI_ENDPOINT"):
        return OmniConfig.from_environ()
    return stack.enter_context(simulator(fleet, 60)).config


@contextmanager
def served(url: str | None, omni: OmniConfig, settings: dict[str, str]) -> Iterator[Target]:
    """Serve a gateway, or name the one that runs already."""
    if url:
        parts = urlsplit(url)
        token = os.environ["BENCH_TOKEN"]
        yield Target(parts.hostname or "127.0.0.1", parts.port or 80, token, omni, None, None)
        return
    with gateway(omni, workers=WORKERS, settings=settings) as target:
        yield target


def prepare(stack: ExitStack, omni: OmniClient, clusters: int) -> str:
    """Make 1,000 configuration patches, label some machines, make clusters; return a machine's id."""
    stack.callback(remove_objects, omni, make_objects(omni))
    machines = sorted(item["metadata"]["id"] for item in omni.resources.list(types.MACHINE_LABELS).items)
    for id in machines[:CHOSEN]:
        labels = omni.resources.get(types.MACHINE_LABELS, id)
        labels["metadata"].setdefault("labels", {})[LABEL] = ""
        omni.resources.update(labels, version=None)
    if not os.environ.get("OMNI_ENDPOINT"):  # nobody's real machines are taken for this
        make_clusters(omni, [f"bench-{number:03d}" for number in range(clusters)])
        wait_ready(omni, clusters)
        print(f"{omni.resources.list(STATUSES, limit=1).total} machines, {clusters} clusters")
    return str(machines[-1])


def measure(target: Target, constant: Target, omni: OmniClient, options: argparse.Namespace, machine: str) -> None:
    """Print the rows of one gateway."""
    seconds, rounds = (1.0, 1) if options.quick else (2.0, 3)
    print(f"idle workers: {_megabytes(target)} MB\n{HEAD}")
    if "warm" in options.only:
        for one in WARM:
            _warm_up(target, one.path.format(machine=machine))
            print(warm(one, target, constant, seconds, rounds, machine), flush=True)
    if "cold" in options.only:
        for each in COLD:
            print(cold(each, target, seconds, rounds), flush=True)
    if "changes" in options.only:
        changes(target, omni, 20 if options.quick else 150, 500 if options.quick else BURST)
    if "memory" in options.only:
        for name in READ_FOR_MEMORY:
            _warm_up(target, f"/api/v1/{name}?page_size=1000")
            for page in range(1, 11):
                for _ in range(4):
                    answer(target, f"/api/v1/{name}?page_size=1000&page={page}")
        print(f"workers with all that cached: {_megabytes(target)} MB  (goal: 250)", flush=True)


def changes(target: Target, omni: OmniClient, probes: int, burst: int) -> None:
    """Print when others' writes are seen, and what a burst of events does to reads."""
    for path in (ONE, LIST):
        _warm_up(target, path)
    with writers(target.omni, WRITES) as process:
        for name, path in (("GET", ONE), ("list of 1,000", LIST)):
            seconds, hits = visible(target, omni, path, probes)
            text = f"change visible in a {name}: p50 {_ms(seconds, 50)}, p99 {_ms(seconds, 99)} ms"
            print(f"{text}; {hits} of {probes} from the cache  (goal: p99 50)", flush=True)
        print(f"  others wrote {end_writing(process):.0f} times a second")
    quiet = load(target, ONE, 8, 5)
    begun = time.monotonic()
    with writers(target.omni, 0) as process:
        during = load(target, ONE, 8, max(5.0, burst / 500))
        rate, took = end_writing(process), time.monotonic() - begun
    text = f"burst of {rate * took:.0f} events ({rate:.0f}/s): p99 of GET {during.p99 * 1e3:.1f} ms"
    print(f"{text} (quiet {quiet.p99 * 1e3:.1f}), {during.rps:.0f} rps (quiet {quiet.rps:.0f})  (goal: p99 50)")


def streams(target: Target, omni: OmniClient, wanted: int) -> None:
    """Print how many watchers are held and how soon they are told."""
    _warm_up(target, ONE)
    quiet = load(target, ONE, 8, 5)
    start = time.monotonic()
    with watchers(target, omni, wanted) as opened:
        took = time.monotonic() - start
        print(f"watchers held: {len(opened.tails)} of {wanted}, in {took:.1f} s; {opened.refused} refused by 503")
        seconds, missed = fan_out(opened, omni, 20)
        print(f"all have got a change: p50 {_ms(seconds, 50)}, p99 {_ms(seconds, 99)} ms; {missed} changes missed")
        idle = load(target, ONE, 8, 5)
        with busy(opened, omni, 5):
            during = load(target, ONE, 8, 5)
        for name, one in (("idle watchers", idle), ("5 changes a second", during)):
            text = f"GET of others with {name}: p99 {one.p99 * 1e3:.1f} ms, without {quiet.p99 * 1e3:.1f}"
            print(f"{text}: {one.p99 / quiet.p99:.2f} times  (goal: 2); {one.rps:.0f} rps, without {quiet.rps:.0f}")
        print(f"workers with watchers: {_megabytes(target)} MB", flush=True)


def _warm_up(target: Target, path: str) -> None:
    """Ask until every worker answers from its cache; what is always asked of Omni is left at that."""
    hits, deadline = 0, time.monotonic() + 20
    while hits < HITS_IN_A_ROW and time.monotonic() < deadline:
        status = answer(target, path)[0].headers.get("Cache-Status", "")
        if "fwd=bypass" in status:
            return
        hits = hits + 1 if status.endswith("hit") else 0
    if hits < HITS_IN_A_ROW:
        print(f"  (not answered from the cache: {path})")


def _ms(seconds: list[float], percentile: int) -> str:
    value = median(seconds) if percentile == 50 else quantiles(seconds, n=100, method="inclusive")[-1]
    return f"{value * 1e3:.1f}"


def _megabytes(target: Target) -> str:
    return ", ".join(f"{one:.0f}" for one in resident_megabytes(target)) or "unknown"


if __name__ == "__main__":
    main()
