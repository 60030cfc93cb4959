"""The parts of ``make bench``: what each prints of one gateway."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Self

from benchmarks.processes import Target
from benchmarks.speed_changes import MACHINES, end_writing, visible, writers
from benchmarks.speed_load import NotServedError, answer, load, resident_megabytes
from benchmarks.speed_rows import COLD, HEAD, LIST, ONE, WARM, WRITES, cold, warm, write
from benchmarks.speed_streams import busy, fan_out, watchers
from omni_gateway.omni import OmniClient

READ_FOR_MEMORY = (
    "machines",
    "clusters",
    "machinesets",
    "machinesetnodes",
    "clustermachines",
    "links",
    "configpatches",
)
HITS_IN_A_ROW = 24
#: Answers of a server that does not say where they come from: enough for both of two workers to have warmed up.
ANSWERS_WITHOUT_A_WORD = 24
WITHOUT_A_HIT_SECONDS, WARM_SECONDS = 5.0, 20.0
OTHERS_WRITE_PER_SECOND = 200
MACHINES_CHANGE_PER_SECOND = 20


@dataclass(frozen=True)
class Sizes:
    """How much is measured: seconds and rounds of each load, machines, clusters, watchers, changes; runs of others.

    ``lone``: seconds of a load that stands alone. ``inside``: with the constant view of the gateway's own application.
    """

    seconds: int = 1
    lone: int = 3
    inside: bool = True
    rounds: int = 3
    fleet: int = 10_000
    clusters: int = 500
    probes: int = 150
    burst: int = 5_000
    watchers: tuple[int, ...] = (1, 8, 64, 500)
    changes: int = 20
    runs: int = 2

    @classmethod
    def quick(cls) -> Self:
        """Return sizes for a run of two minutes."""
        return cls(
            lone=1,
            inside=False,
            rounds=1,
            fleet=1000,
            clusters=5,
            probes=20,
            burst=500,
            watchers=(1, 8),
            changes=10,
            runs=1,
        )


def room_for_streams(sizes: Sizes) -> dict[str, str]:
    """Return the settings of a gateway whose two workers together hold so many watchers."""
    each = str(max(sizes.watchers) // 2)
    return {"OMNI_GATEWAY_MAX_WATCHES": each, "OMNI_GATEWAY_MAX_WATCHES_PER_CALLER": each}


def reads(target: Target, constant: Target, only: Collection[str], sizes: Sizes, machine: str) -> None:
    """Print the rows of reads and writes."""
    print(f"idle workers: {_megabytes(target)} MB\n{HEAD}")
    if "warm" in only:
        for one in WARM:
            for page in range(1, one.pages + 1):
                path = one.path.format(machine=machine)
                warm_up(target, f"{path}&page={page}" if one.pages > 1 else path)
            print(warm(one, target, constant, sizes.seconds, sizes.rounds, machine, inside=sizes.inside), flush=True)
    if "cold" in only:
        for each in COLD:
            print(cold(each, target, sizes.seconds, sizes.rounds), flush=True)
    if "writes" in only:
        for other in WRITES:
            print(write(other, target, sizes.seconds, sizes.rounds), flush=True)


def memory(target: Target, sizes: Sizes) -> None:
    """Print what workers take when everything is cached."""
    if target.pid is None:
        print("memory with everything cached: the server is not ours to look into")
        return
    for name in READ_FOR_MEMORY:
        warm_up(target, f"/api/v1/{name}?page_size=1000")
        for page in range(1, sizes.fleet // 1000 + 1):
            for _ in range(4):
                answer(target, f"/api/v1/{name}?page_size=1000&page={page}")
    print(f"workers with all that cached: {_megabytes(target)} MB  (goal: 250)", flush=True)


def changes(target: Target, omni: OmniClient, sizes: Sizes) -> None:
    """Print when others' writes are seen, and what a burst of events does to reads."""
    for path in (ONE, LIST):
        warm_up(target, path)
    with writers(target.omni, OTHERS_WRITE_PER_SECOND) as process:
        for name, path in (("GET", ONE), ("list of 1,000", LIST)):
            seconds, hits = visible(target, omni, path, sizes.probes)
            text = f"change visible in a {name}: p50 {_ms(seconds, 50)}, p99 {_ms(seconds, 99)} ms"
            print(f"{text}; {hits} of {sizes.probes} from the cache  (goal: p99 50)", flush=True)
        print(f"  others wrote {end_writing(process):.0f} times a second")
    _pages_while_machines_change(target, sizes)
    quiet = load(target, ONE, 8, sizes.lone)
    begun = time.monotonic()
    with writers(target.omni, 0) as process:
        during = load(target, ONE, 8, max(sizes.lone, sizes.burst // 500))
        rate, took = end_writing(process), time.monotonic() - begun
    text = f"burst of {rate * took:.0f} events ({rate:.0f}/s): p99 of GET {during.p99 * 1e3:.1f} ms"
    print(f"{text} (quiet {quiet.p99 * 1e3:.1f}), {during.rps:.0f} rps (quiet {quiet.rps:.0f})  (goal: p99 50)")


def _pages_while_machines_change(target: Target, sizes: Sizes) -> None:
    """Print what pages of all machines cost while machines change, so that each page is rendered again and again."""
    pages = sizes.fleet // 1000
    path = "/api/v1/machines?page_size=1000"
    for page in range(1, pages + 1):
        warm_up(target, f"{path}&page={page}")
    quiet = load(target, path, 1, sizes.lone, pages=pages)
    with writers(target.omni, MACHINES_CHANGE_PER_SECOND, of=MACHINES) as process:
        during = load(target, path, 1, sizes.lone, pages=pages)
        rate = end_writing(process)
    text = f"pages of {sizes.fleet:,} machines at {rate:.0f} changes a second: p50 {during.p50 * 1e3:.1f}"
    text += f", p99 {during.p99 * 1e3:.1f} ms, {during.rps:.0f} rps, CPU {during.cpu or 0:.1f} s/k"
    print(f"{text} (quiet {quiet.p50 * 1e3:.1f}, {quiet.p99 * 1e3:.1f} ms, {quiet.rps:.0f} rps)", flush=True)


def streams(target: Target, omni: OmniClient, sizes: Sizes) -> None:
    """Print how many watchers are held, how soon they are told, and what they cost others."""
    warm_up(target, ONE)
    quiet = load(target, ONE, 8, sizes.lone)
    for wanted in sizes.watchers:
        start = time.monotonic()
        with watchers(target, omni, wanted) as opened:
            took = time.monotonic() - start
            seconds, missed = fan_out(opened, omni, sizes.changes)
            held = f"watchers: {len(opened.tails)} of {wanted} held in {took:.1f} s, {opened.refused} refused by 503"
            told = f"all have got a change: p50 {_ms(seconds, 50)}, p99 {_ms(seconds, 99)} ms"
            print(f"{held}; {told}; {missed} changes missed", flush=True)
            if wanted != max(sizes.watchers):
                continue
            idle = load(target, ONE, 8, sizes.lone)
            with busy(opened, omni, 5):
                during = load(target, ONE, 8, sizes.lone)
            for name, one in (("idle watchers", idle), ("5 changes a second", during)):
                text = f"GET of others with {name}: p99 {one.p99 * 1e3:.1f} ms, without {quiet.p99 * 1e3:.1f}"
                print(f"{text}: {one.p99 / quiet.p99:.2f} times  (goal: 2); {one.rps:.0f} rps, without {quiet.rps:.0f}")
            print(f"workers with watchers: {_megabytes(target)} MB", flush=True)


def warm_up(target: Target, path: str) -> None:
    """Ask until every worker answers from its cache; what is always asked of Omni is left at that.

    A server that says nothing of a cache is asked some times, one that is not ours and never hits for some seconds; one
    that does not serve this is told of in the row.
    """
    hits, silent, begun = 0, 0, time.monotonic()
    patience = WITHOUT_A_HIT_SECONDS if target.pid is None else WARM_SECONDS
    while hits < HITS_IN_A_ROW and time.monotonic() - begun < patience:
        try:
            status = answer(target, path)[0].headers.get("Cache-Status")
        except NotServedError:
            return
        silent += status is None
        if "fwd=bypass" in (status or "") or silent >= ANSWERS_WITHOUT_A_WORD:
            return
        hits = hits + 1 if (status or "").endswith("hit") else 0
        patience = WARM_SECONDS if hits else patience
    if hits < HITS_IN_A_ROW:
        print(f"  (not answered from the cache: {path})")


def _ms(seconds: list[float], percentile: int) -> str:
    value = median(seconds) if percentile == 50 else quantiles(seconds, n=100, method="inclusive")[-1]
    return f"{value * 1e3:.1f}"


def _megabytes(target: Target) -> str:
    return ", ".join(f"{one:.0f}" for one in resident_megabytes(target)) or "unknown"
