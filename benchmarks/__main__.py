"""``make bench``: what the gateway gives beside constant views and bare calls, in one table.

It fails nothing; ``benchmarks/README.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from benchmarks.others import others
from benchmarks.processes import Target, gateway, omni_under_test
from benchmarks.reading import FLEET, make_objects, remove_objects
from benchmarks.simulator_scale import STATUSES, make_clusters, simulator, wait_ready
from benchmarks.slow_clients import raise_file_limit
from benchmarks.speed_load import NotServedError, need_wrk
from benchmarks.speed_parts import Sizes, changes, memory, reads, room_for_streams, streams
from benchmarks.speed_rows import CHOSEN, LABEL
from omni_gateway.omni import OmniClient, OmniConfig, types

PARTS = ("warm", "cold", "writes", "changes", "memory", "streams", "others")
READS = ("warm", "cold", "writes", "changes")
WORKERS = 2


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--target", help="URL of a server that runs already (token: BENCH_TOKEN; Omni: OMNI_ENDPOINT)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, 1,000 machines, few clusters")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts of the table")
    options = parser.parse_args()
    need_wrk()
    if options.target and not os.environ.get("OMNI_ENDPOINT"):
        sys.exit(
            "Name the Omni beneath that server by OMNI_ENDPOINT and OMNI_SERVICE_ACCOUNT_KEY: bare calls go there."
        )
    raise_file_limit()
    load_average = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load_average}")
    begun = time.monotonic()
    sizes = Sizes.quick() if options.quick else Sizes()
    if set(options.only) - {"others"}:
        table(options.target, options.only, sizes)
    if "others" in options.only:
        with omni_under_test(FLEET) as config, served(options.target, config, {}, own=False) as target:
            for line in others(target, config, sizes.runs):
                print(line, flush=True)
    print(f"took {time.monotonic() - begun:.0f} s")


def table(url: str | None, only: list[str], sizes: Sizes) -> None:
    """Print the rows that are taken at one Omni with many objects."""
    with ExitStack() as stack:
        config = OmniConfig.from_environ() if os.environ.get("OMNI_ENDPOINT") else None
        if config is None:
            config = stack.enter_context(simulator(sizes.fleet, 60)).config
        omni = stack.enter_context(OmniClient(config))
        machine = prepare(stack, omni, sizes.clusters)
        constant = stack.enter_context(gateway(config, workers=WORKERS, module="benchmarks.speed_constant"))
        if set(only) & set(READS):
            with served(url, config, {}) as target:
                assert target is not None
                if set(only) & {"warm", "cold", "writes"}:
                    reads(target, constant, only, sizes, machine)
                if "changes" in only:
                    attempt("changes", lambda: changes(target, omni, sizes))
        if "memory" in only:
            with served(url, config, {}) as target:
                assert target is not None
                attempt("memory", lambda: memory(target, sizes))
        if "streams" in only:
            with served(url, config, room_for_streams(sizes)) as target:
                assert target is not None
                attempt("streams", lambda: streams(target, omni, sizes))


def attempt(name: str, part: Callable[[], object]) -> None:
    """Print a part; of what the server does not serve, that."""
    try:
        part()
    except NotServedError as refused:
        print(f"{name}: not served: {refused}", flush=True)


@contextmanager
def served(url: str | None, omni: OmniConfig, settings: dict[str, str], *, own: bool = True) -> Iterator[Target | None]:
    """Name the server that runs already, or serve a gateway (with ``own`` False: nothing)."""
    if url:
        parts = urlsplit(url)
        yield Target(
            parts.hostname or "127.0.0.1", parts.port or 80, os.environ.get("BENCH_TOKEN", ""), omni, None, None
        )
    elif own:
        with gateway(omni, workers=WORKERS, settings=settings) as target:
            yield target
    else:
        yield None


def prepare(stack: ExitStack, omni: OmniClient, clusters: int) -> str:
    """Make 1,000 configuration patches, label some machines, make clusters; return a machine's id."""
    stack.callback(remove_objects, omni, make_objects(omni))
    machines = sorted(item["metadata"]["id"] for item in omni.resources.list(types.MACHINE_LABELS).items)
    choose(omni, machines[:CHOSEN], chosen=True)
    stack.callback(choose, omni, machines[:CHOSEN], chosen=False)
    if not os.environ.get("OMNI_ENDPOINT"):  # nobody's real machines are taken for this
        make_clusters(omni, [f"bench-{number:03d}" for number in range(clusters)])
        wait_ready(omni, clusters)
        print(f"{omni.resources.list(STATUSES, limit=1).total} machines, {clusters} clusters")
    return str(machines[-1]) if machines else "none"


def choose(omni: OmniClient, machines: list[str], *, chosen: bool) -> None:
    """Label machines, so that a filter finds them, or take the label off."""
    for id in machines:
        read = omni.resources.get(types.MACHINE_LABELS, id)
        labels = read["metadata"].setdefault("labels", {})
        labels.pop(LABEL, None)
        labels |= {LABEL: ""} if chosen else {}
        omni.resources.update(read, version=None)


if __name__ == "__main__":
    main()
