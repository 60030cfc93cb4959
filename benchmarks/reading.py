"""Lists that are read through, beside the bare calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.calls import http_get
from benchmarks.measure import interleaved
from benchmarks.processes import Target
from omni_gateway.omni import OmniClient, types

FLEET = 1000
PREFIX = "bench-"
_QUERY = f"?page_size={FLEET}"
_LOOKS = 3


def make_objects(omni: OmniClient) -> list[str]:
    """Make 1,000 small patches, so that a list of 1,000 can be asked of any Omni, with machines or without."""
    ids = [f"{PREFIX}{number:04d}" for number in range(FLEET)]
    for id in ids:
        omni.resources.create(
            types.CONFIG_PATCHES, id, {"data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"}
        )
    return ids


def remove_objects(omni: OmniClient, ids: list[str]) -> None:
    """Remove them."""
    for id in ids:
        omni.resources.remove(types.CONFIG_PATCHES, id)


def first_list(target: Target, omni: OmniClient, runs: int) -> float:
    """Return the ratio of a list of 1,000 new objects to its bare call: nothing of them is kept yet. Best of runs."""
    get = http_get(target, f"/api/v1/configpatches{_QUERY}")
    ratios = []
    for _ in range(runs):
        ids = make_objects(omni)
        try:
            bare = min(_seconds(_bare(omni, [types.CONFIG_PATCHES])) for _ in range(_LOOKS))
            ratios.append(_seconds(get) / bare)
        finally:
            remove_objects(omni, ids)
    return min(ratios)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _bare(omni: OmniClient, asked: list[types.OmniType]) -> Callable[[], object]:
    return lambda: [omni.resources.list(type, limit=FLEET, sort_by="id").items for type in asked]


def join_ratio(target: Target, omni: OmniClient, runs: int) -> float:
    """Return the ratio of 1,000 machines, joined, to the two lists that they come of. Best of runs."""
    calls = {
        "bare": _bare(omni, [types.MACHINES, types.MACHINE_STATUSES]),
        "machines": http_get(target, f"/api/v1/machines{_QUERY}"),
    }
    timed = [interleaved(calls, rounds=20, warmup=3) for _ in range(runs)]
    return min(one["machines"].p50 / one["bare"].p50 for one in timed)
