"""``make bench-scale``: what grows with the fleet, with the watchers and with the replicas."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.processes import Target, gateway
from benchmarks.scale_replicas import replicas
from benchmarks.simulator_scale import Running, make_clusters, simulator, wait_ready
from benchmarks.slow_clients import raise_file_limit
from benchmarks.speed_changes import MACHINES, end_writing, label_machine, writers
from benchmarks.speed_load import Load, NotServedError, answer, cpu_seconds, load, middle, need_wrk, workers
from benchmarks.speed_streams import change, fan_out, watchers
from omni_gateway.omni import OmniClient, types

PARTS = ("fleets", "watchers", "replicas")
LABEL = "bench-chosen"
CHOSEN = 50
ROUNDS, SECONDS = 3, 2
CHANGES_PER_SECOND = 20
PATIENCE_SECONDS = 300.0
PAGE = 100
COLLECTIONS = ("machines", "links", "clusters", "machinesets", "machinesetnodes", "clustermachines", "configpatches")
STATUSES = "resources/machinestatuses"
#: Room for all objects of so many machines, so that rows compare sizes and not evictions.
CACHE_BYTES_PER_MACHINE = 10_000
LEAST_CACHE_BYTES = 112 * 1024 * 1024


@dataclass(frozen=True)
class Read:
    """A request of the table; ``pages``: so many pages of the list in turn, ``changing``: while machines change."""

    name: str
    path: str
    pages: int = 1
    changing: bool = False


READS = (
    Read("one machine", "/api/v1/machines/{machine}"),
    Read("one machine, while machines change", "/api/v1/machines/{machine}", changing=True),
    Read("a page of 100 machines", f"/api/v1/machines?page_size={PAGE}", pages=10),
    Read("the last page of 100 machines", "/api/v1/machines?page_size=100&page={last}"),
    Read("a page of 100 machines, while machines change", f"/api/v1/machines?page_size={PAGE}", 10, changing=True),
    Read("a page of 100 statuses", f"/api/v1/{STATUSES}?page_size={PAGE}", pages=10),
    Read("a page of 100 statuses, while they change", f"/api/v1/{STATUSES}?page_size={PAGE}", 10, changing=True),
    Read("50 machines by label", f"/api/v1/machines?label_selector={LABEL}"),
    Read("50 machines by label, while they change", f"/api/v1/machines?label_selector={LABEL}", changing=True),
    Read("50 statuses by label", f"/api/v1/{STATUSES}?label_selector={LABEL}"),
    Read("50 statuses by label, while they change", f"/api/v1/{STATUSES}?label_selector={LABEL}", changing=True),
)


@dataclass(frozen=True)
class Fleet:
    """A fleet of one size, its simulator and its gateway."""

    size: int
    target: Target
    machine: str

    @property
    def values(self) -> Mapping[str, object]:
        """Return what the paths of reads name."""
        return {"machine": self.machine, "last": max(1, self.size // PAGE)}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make bench-scale")
    parser.add_argument("--fleets", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--clusters", type=int, default=1_000)
    parser.add_argument("--watchers", type=int, nargs="+", default=[0, 500, 1_000, 2_000])
    parser.add_argument("--replicas", type=int, nargs="+", default=[0, 2, 6, 20, 40])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    need_wrk()
    raise_file_limit()
    begun = time.monotonic()
    if "fleets" in options.only:
        _fleets(options.fleets, options.clusters)
    if "watchers" in options.only:
        _watchers(options.watchers)
    if "replicas" in options.only:
        replicas(options.replicas)
    print(f"took {time.monotonic() - begun:.0f} s")


def _fleets(sizes: Sequence[int], clusters: int) -> None:
    """Print what each fleet takes at rest, then each read at all of them in turn."""
    with ExitStack() as stack:
        fleets = [_start(stack, size, min(clusters, size // 10)) for size in sizes]
        print(f"\n{'rps; p99 ms; CPU s/k':<48}" + "".join(f"{fleet.size:>24,}" for fleet in fleets))
        for read in READS:
            loads = _interleaved(read, fleets)
            print(f"{read.name:<48}" + "".join(_cell(one) for one in loads), flush=True)
        for fleet in fleets:
            print(f"{fleet.size:,} machines: worker {_memory(fleet.target)} at the end", flush=True)


def _start(stack: ExitStack, size: int, clusters: int) -> Fleet:
    running = stack.enter_context(simulator(size, 60))
    with OmniClient(running.config) as omni:
        make_clusters(omni, [f"scale-{number:04d}" for number in range(clusters)])
        wait_ready(omni, clusters)
        ids = sorted(item["metadata"]["id"] for item in omni.resources.list(types.MACHINE_LABELS).items)
        for id in ids[:CHOSEN]:
            label_machine(omni, id, "", label=LABEL)
    room = max(LEAST_CACHE_BYTES, size * CACHE_BYTES_PER_MACHINE)
    target = stack.enter_context(gateway(running.config, settings={"OMNI_GATEWAY_CACHE_BYTES": str(room)}))
    print(f"\n{size:,} machines, {clusters:,} clusters; simulator {_simulator(running)}")
    print(f"ready after {target.seconds_to_ready:.1f} s; worker {_memory(target)}", flush=True)
    for name in (*COLLECTIONS, STATUSES):
        print(f"  {name:<26} {_first_hit(target, name)}", flush=True)
    print(f"  all of them held: worker {_memory(target)}; cache {_cached(target)}", flush=True)
    return Fleet(size, target, ids[-1])


def _simulator(running: Running) -> str:
    return f"ready after {running.seconds_to_ready:.1f} s, {running.memory('VmRSS'):.0f} MB"


def _first_hit(target: Target, name: str) -> str:
    """Read a page until the cache answers; return after how long, with which CPU time, and of how many objects."""
    begun, cpu, asked, first = time.monotonic(), cpu_seconds(target), 0, 0.0
    while time.monotonic() - begun < PATIENCE_SECONDS:
        asked += 1
        response, _ = answer(target, f"/api/v1/{name}?page_size={PAGE}")
        first = first or time.monotonic() - begun
        if (response.headers.get("Cache-Status") or "").endswith("hit"):
            took = f"{time.monotonic() - begun:.2f} s, {asked} reads, CPU {cpu_seconds(target) - cpu:.2f} s"
            objects = f"{_total(response.headers['X-Pagination']):>7,} objects"
            return f"{objects}: answered after {first:.2f} s, from the cache after {took}"
        time.sleep(0.05)
    raise NotServedError(f"{name} was not answered from the cache in {PATIENCE_SECONDS:g} s")


def _total(pagination: str) -> int:
    return int(pagination.split('"total":')[1].split(",")[0].strip())


def _interleaved(read: Read, fleets: Sequence[Fleet]) -> list[Load]:
    """Load each gateway in turn, so that a machine whose speed drifts drifts for all of them."""
    taken: list[list[Load]] = [[] for _ in fleets]
    for _ in range(ROUNDS):
        for fleet, loads in zip(fleets, taken, strict=True):
            path = read.path.format_map(fleet.values)
            with ExitStack() as stack:
                process = None
                if read.changing:
                    process = stack.enter_context(writers(fleet.target.omni, CHANGES_PER_SECOND, of=MACHINES))
                loads.append(load(fleet.target, path, 4, SECONDS, pages=read.pages))
                if process is not None:
                    end_writing(process)
    return [middle(loads) for loads in taken]


def _cell(one: Load) -> str:
    return f"{f'{one.rps:,.0f}; {one.p99 * 1e3:.1f}; {one.cpu or 0:.2f}':>24}"


def _watchers(counts: Sequence[int]) -> None:
    """Print what watchers of one worker take: memory, the delay of a change to all of them, CPU time."""
    print(f"\n{'watchers':>9}{'held':>7}{'RSS MB':>8}{'PSS MB':>8}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms/change':>15}")
    for wanted in counts:
        limit = str(max(1, wanted))
        settings = {"OMNI_GATEWAY_MAX_WATCHES": limit, "OMNI_GATEWAY_MAX_WATCHES_PER_CALLER": limit}
        with (
            simulator(100, 60) as running,
            OmniClient(running.config) as omni,
            gateway(running.config, settings=settings) as target,
            watchers(target, omni, wanted) as opened,
        ):
            change(omni, "first")
            cpu, changes = cpu_seconds(target), 50
            seconds, missed = fan_out(opened, omni, changes)
            took = (cpu_seconds(target) - cpu) / changes * 1e3
            p50, p99 = (quantiles(seconds, n=100, method="inclusive")[at] * 1e3 for at in (49, 98))
            rss, pss = _megabytes(workers(target)[0])
            figures = f"{wanted:>9}{len(opened.tails):>7}{rss:>8.0f}{pss:>8.0f}{p50:>8.0f}{p99:>8.0f}{took:>15.1f}"
            print(f"{figures}  {missed} missed", flush=True)


def _memory(target: Target) -> str:
    rss, pss = _megabytes(workers(target)[0])
    return f"RSS {rss:.0f} MB, PSS {pss:.0f} MB"


def _megabytes(pid: int) -> tuple[float, float]:
    """Return a process's resident memory, and the same with shared pages divided among those that share them."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (int(text.split(f"\n{name}:")[1].split()[0]) * 1024 / 1e6 for name in ("Rss", "Pss"))
    return rss, pss


def _cached(target: Target) -> str:
    """Return the objects and bytes that the worker's informers hold; metrics are taken each five seconds."""
    time.sleep(6)
    _, body = answer(target, "/metrics")
    sums = {"objects": 0.0, "bytes": 0.0, "informers": 0.0}
    for line in body.decode().splitlines():
        for name in sums:
            if line.startswith(f"omni_gateway_cache_{name}{{"):
                sums[name] += float(line.rpartition(" ")[2])
    return f"{sums['informers']:.0f} types, {sums['objects']:,.0f} objects, {sums['bytes'] / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
