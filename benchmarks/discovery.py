"""Whole requests for the documents of discovery at 10,000 machines: unchanged, and the first one after a change.

``python -m benchmarks.discovery`` prints milliseconds, medians, and the CPU milliseconds of the worker.
"""

from __future__ import annotations

import http.client
import os
import statistics
import time
from collections.abc import Callable

import orjson

from benchmarks.processes import Target, gateway
from benchmarks.simulator_scale import make_clusters, simulator, wait_ready
from benchmarks.speed_load import cpu_seconds
from omni_gateway.omni import OmniClient, types

MACHINES, CLUSTERS, REQUESTS, CHANGES = 10_000, 200, 40, 10
#: After a change, so that the informers have it and the request alone is measured.
SETTLE_SECONDS = 0.5
_LABEL = "bench-discovery"
#: Path below the API's discovery → the type whose change it shows.
DOCUMENTS = {
    "prometheus": types.MACHINE_LABELS,
    "prometheus?endpoint=kubelet&port=9100,9101": types.MACHINE_LABELS,
    "ansible": types.MACHINE_LABELS,
    "backstage": types.CLUSTERS,
    "argocd/cluster-secrets": types.CLUSTERS,
    "argocd/cluster-profiles": types.CLUSTERS,
    "argocd/api/v1/getparams.execute": types.CLUSTERS,
}
_PARAMETERS = orjson.dumps({"applicationSetName": "bench", "input": {"parameters": {}}})


class Caller:
    """Requests over one kept-alive connection, and the CPU time of the worker meanwhile."""

    def __init__(self, target: Target) -> None:
        self._connection = http.client.HTTPConnection(target.host, target.port, timeout=120)
        self._head = {"Authorization": f"Bearer {target.token}", "Content-Type": "application/json"}
        self._target = target

    def get(self, document: str, etag: str = "") -> tuple[str, int]:
        """Request a document; return its entity tag and length."""
        posted = document.startswith("argocd/api")
        head = self._head | ({"If-None-Match": etag} if etag else {})
        path = f"/api/v1/discovery/{document}"
        self._connection.request("POST" if posted else "GET", path, _PARAMETERS if posted else None, head)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != (304 if etag else 200):
            raise RuntimeError(f"{document}: {response.status}")
        return response.headers.get("ETag", ""), len(content)

    def measured(self, call: Callable[[], object], times: int, before: Callable[[], None] | None = None) -> str:
        """Return the median and the longest time of some calls, and the mean CPU time of the worker."""
        walls, processor = [], 0.0
        for _ in range(times):
            if before is not None:
                before()
            started, used = time.perf_counter(), cpu_seconds(self._target)
            call()
            walls.append((time.perf_counter() - started) * 1000)
            processor += cpu_seconds(self._target) - used
        return f"{statistics.median(walls):6.1f} (to {max(walls):5.1f}), CPU {processor / times * 1000:4.1f}"


def main() -> None:
    """Run it."""
    with simulator(MACHINES, 60) as running, OmniClient(running.config) as omni:
        make_clusters(omni, [f"bench-{number:03d}" for number in range(CLUSTERS)])
        wait_ready(omni, CLUSTERS)
        with gateway(running.config) as target:
            caller = Caller(target)
            print(f"{MACHINES} machines, {CLUSTERS} clusters, load {os.getloadavg()[0]:.1f}; ms")
            for document, type in DOCUMENTS.items():
                print(_row(caller, omni, document, type), flush=True)


def _row(caller: Caller, omni: OmniClient, document: str, type: str) -> str:
    ids = [item["metadata"]["id"] for item in omni.resources.list(type, limit=CHANGES).items]
    changes = iter(range(CHANGES))

    def change() -> None:
        number = next(changes)
        read = omni.resources.get(type, ids[number])
        read["metadata"].setdefault("labels", {})[_LABEL] = f"{document[:4]}-{time.time_ns()}"
        omni.resources.update(read, version=None)
        time.sleep(SETTLE_SECONDS)

    for _ in range(3):  # the first ones begin the informers
        tag, length = caller.get(document)
    parts = [f"{document:<44}{length / 1e6:5.2f} MB", f"200 {caller.measured(lambda: caller.get(document), REQUESTS)}"]
    if tag:
        parts.append(f"304 {caller.measured(lambda: caller.get(document, tag), REQUESTS)}")
    parts.append(f"changed {caller.measured(lambda: caller.get(document), CHANGES, change)}")
    return " | ".join(parts)


if __name__ == "__main__":
    main()
