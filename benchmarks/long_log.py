"""The memory of a worker while a long audit log passes through it.

No Omni has a log of a hundred megabytes at hand, so a server of this module's own sends one: real gRPC, the stream of
``management.ManagementService/ReadAuditLog`` and nothing else.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from statistics import median
from typing import Any

import grpc

from benchmarks.processes import Target, gateway, worker_megabytes
from omni_gateway.omni import OmniConfig, rpcs
from omni_gateway.stubs import management_pb2 as pb

MEGABYTES = 100
_CHUNK = 64 * 1024
#: What a stream needs at all (buffers, threads) is there by then.
_WARM_MEGABYTES = 10
_LINE = json.dumps(
    {
        "event_type": "update",
        "resource_type": "ConfigPatches.omni.sidero.dev",
        "resource_id": "500-machine",
        "event_ts": 1780000000000,
        "event_data": {"session": {"user_agent": "omnictl", "email": "ada@example.com", "role": "Admin"}},
        "padding": "x" * 300,
    }
).encode()


class _LongLog(grpc.GenericRpcHandler):
    def service(self, call: Any) -> Any:
        if call.method != rpcs.READ_AUDIT_LOG.path:
            return None
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: _records(),
            request_deserializer=pb.ReadAuditLogRequest.FromString,
            response_serializer=pb.ReadAuditLogResponse.SerializeToString,
        )


def _records() -> Iterator[pb.ReadAuditLogResponse]:
    for number in range(MEGABYTES * 1_000_000 // len(_LINE)):
        yield pb.ReadAuditLogResponse(audit_log=_LINE, id=number)


@contextmanager
def _omni_with_a_long_log(key: str) -> Iterator[OmniConfig]:
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[_LongLog()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield OmniConfig(endpoint=f"http://127.0.0.1:{port}", service_account_key=key)
    finally:
        server.stop(0)


def growth(key: str) -> tuple[float, float]:
    """Return by how many MB a worker grows over a log of ``MEGABYTES``, and how many MB of it pass in a second.

    Growth is from the median of the first half to that of the second: an allocator goes up and down by some MB.
    """
    with _omni_with_a_long_log(key) as omni, gateway(omni, ready="/livez") as target:
        return _read(target)


def _read(target: Target) -> tuple[float, float]:
    assert target.pid is not None
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    connection.request("GET", "/api/v1/audit-log", headers={"Authorization": f"Bearer {target.token}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"audit log: {answer.status} {answer.read()[:300]!r}")
    start, passed, samples = time.perf_counter(), 0, list[float]()
    while chunk := answer.read(_CHUNK):
        passed += len(chunk)
        if passed > (_WARM_MEGABYTES + len(samples)) * 1_000_000:
            samples.append(worker_megabytes(target.pid))
    connection.close()
    if passed < MEGABYTES * 1_000_000 * 0.99:
        raise RuntimeError(f"audit log: {passed} bytes came")
    half = len(samples) // 2
    return median(samples[half:]) - median(samples[:half]), passed / 1e6 / (time.perf_counter() - start)
