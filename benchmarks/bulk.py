"""``PATCH`` and ``DELETE`` of a collection: one request for many objects, until the last of them is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from benchmarks.calls import http_call
from benchmarks.processes import Target
from omni_gateway.omni import OmniClient, types
from omni_gateway.omni.errors import NotFound

OBJECTS = 400
_LABEL = "bench-bulk"


def patch_seconds(target: Target, omni: OmniClient, runs: int) -> float:
    """Return the seconds from the request to the end of its operation; the best of some runs."""
    with _objects(omni):
        return min(_seconds(target, "PATCH", "updated", {"labels": {"changed": str(run)}}) for run in range(runs))


def delete_seconds(target: Target, omni: OmniClient, runs: int) -> float:
    """Return the seconds from the request to the end of its operation; the best of some runs."""
    seconds = []
    for _ in range(runs):
        with _objects(omni):
            seconds.append(_seconds(target, "DELETE", "deleted"))
    return min(seconds)


def _seconds(target: Target, method: str, action: str, body: dict[str, Any] | None = None) -> float:
    path = f"/api/v1/resources/machineclasses?label_selector={_LABEL}"
    start = time.perf_counter()
    operation = orjson.loads(http_call(target, method, path, body, status=202))
    while not operation["done"]:
        operation = orjson.loads(http_call(target, "GET", f"{operation['_links']['self']}?wait=30s"))
    seconds = time.perf_counter() - start
    if operation["details"]["counts"] != {action: OBJECTS}:
        raise RuntimeError(f"not all are {action}: {operation['details']['counts']}")
    return seconds


@contextmanager
def _objects(omni: OmniClient) -> Iterator[None]:
    ids = [f"bench-bulk-{number:04d}" for number in range(OBJECTS)]
    for id in ids:
        spec = {"match_labels": ["omni.sidero.dev/platform = metal"]}
        omni.resources.create(types.MACHINE_CLASSES, id, spec, labels={_LABEL: ""})
    try:
        yield
    finally:
        for id in ids:
            with suppress(NotFound):
                omni.resources.remove(types.MACHINE_CLASSES, id)
