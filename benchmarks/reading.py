"""Reads: a bare call, a constant-bytes view and the gateway, side by side in one run."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.calls import http_get
from benchmarks.measure import Timing, interleaved
from benchmarks.processes import Target
from omni_gateway.omni import OmniClient, types

FLEET = 1000
PREFIX = "bench-"
_ONE = f"{PREFIX}0000"
_QUERY = f"?page_size={FLEET}"
#: Lists of 1,000 objects that are read through: what is asked of the gateway, and Omni's type.
THROUGH = {
    "configpatches": types.CONFIG_PATCHES,
    "resources/configpatches": types.CONFIG_PATCHES,
    "resources/machinestatuses": types.MACHINE_STATUSES,
    "links": types.LINKS,
}
#: Each kind of list is measured several times; of these the best counts: others use the machine too.
RUNS = 3


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


def first_list(target: Target, omni: OmniClient) -> float:
    """Return the ratio of a list of 1,000 new objects to its bare call: nothing of them is kept yet. Best of runs."""
    get = http_get(target, f"/api/v1/configpatches{_QUERY}")
    ratios = []
    for _ in range(RUNS):
        ids = make_objects(omni)
        try:
            bare = min(_seconds(_bare(omni, [types.CONFIG_PATCHES])) for _ in range(RUNS))
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


def one_object(target: Target, omni: OmniClient) -> dict[str, Timing]:
    """Time the read of one object."""
    return interleaved(
        {
            "constant view": http_get(target, "/livez"),
            "bare Get": lambda: omni.resources.get(types.CONFIG_PATCHES, _ONE),
            "gateway GET": http_get(target, f"/api/v1/configpatches/{_ONE}"),
        },
        rounds=300,
        warmup=30,
    )


def lists(target: Target, omni: OmniClient) -> dict[str, Timing]:
    """Time lists of 1,000 through the gateway, each beside the bare call ("<name>, bare")."""
    timings: dict[str, Timing] = {}
    for name, type in THROUGH.items():
        timings |= _best(name, [type], target, omni)
    return timings | _best("machines", [types.MACHINES, types.MACHINE_STATUSES], target, omni)


def _best(name: str, asked: list[types.OmniType], target: Target, omni: OmniClient) -> dict[str, Timing]:
    calls: dict[str, Callable[[], object]] = {
        f"{name}, bare": _bare(omni, asked),
        name: http_get(target, f"/api/v1/{name}{_QUERY}"),
    }
    runs = [interleaved(calls, rounds=20, warmup=3) for _ in range(RUNS)]
    return min(runs, key=lambda run: run[name].p50 / run[f"{name}, bare"].p50)
