"""``POST /apply`` of many documents beside the same writes by bare calls, one after the other."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from benchmarks.calls import http_post
from benchmarks.processes import Target
from omni_gateway.omni import OmniClient, errors, types

DOCUMENTS = 500


def apply_ratio(target: Target, omni: OmniClient, pairs: int) -> tuple[float, float]:
    """Return the documents that an apply writes in a second, and their ratio to the bare calls'; the best of pairs."""
    return max((_pair(target, omni) for _ in range(pairs)), key=lambda pair: pair[1])


def _pair(target: Target, omni: OmniClient) -> tuple[float, float]:
    bare = _timed(omni, "bench-bare", lambda ids: _create(omni, ids))
    applied = _timed(omni, "bench-apply", lambda ids: http_post(target, "/api/v1/apply", [_document(id) for id in ids]))
    return DOCUMENTS / applied, bare / applied


def _timed(omni: OmniClient, prefix: str, write: Any) -> float:
    ids = [f"{prefix}-{number:04d}" for number in range(DOCUMENTS)]
    try:
        start = time.perf_counter()
        write(ids)
        return time.perf_counter() - start
    finally:
        for id in ids:
            with suppress(errors.NotFound):  # a server that serves no apply has made none
                omni.resources.remove(types.MACHINE_CLASSES, id)


def _create(omni: OmniClient, ids: list[str]) -> None:
    for id in ids:
        omni.resources.create(types.MACHINE_CLASSES, id, _spec())


def _document(id: str) -> dict[str, Any]:
    return {"metadata": {"type": "MachineClasses.omni.sidero.dev", "id": id}, "spec": _spec()}


def _spec() -> dict[str, Any]:
    return {"match_labels": ["omni.sidero.dev/platform = metal", "omni.sidero.dev/arch = amd64"]}
