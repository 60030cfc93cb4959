"""Rules over gRPC, on a port of their own: for tests of a client from outside of this process."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import grpc

from omni_gateway.simulator.errors import SimError
from omni_gateway.simulator.faults.registry import Faults
from omni_gateway.stubs import simulator_faults_pb2 as pb
from omni_gateway.stubs import simulator_faults_pb2_grpc as pb_grpc

_THREADS = 4
T = TypeVar("T")


class FaultService(pb_grpc.FaultServiceServicer):
    """Adds, lists and clears rules."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def Add(self, request: pb.Rule, context: grpc.ServicerContext) -> pb.RuleState:
        """Put a rule in force."""
        return _answered(lambda: self._faults.add(request), context)

    def List(self, request: pb.ListFaultsRequest, context: grpc.ServicerContext) -> pb.ListFaultsResponse:
        """Return the state of every rule that was not cleared."""
        return pb.ListFaultsResponse(rules=self._faults.states())

    def Clear(self, request: pb.ClearFaultsRequest, context: grpc.ServicerContext) -> pb.ListFaultsResponse:
        """End and forget a rule, or all of them."""
        return pb.ListFaultsResponse(rules=_answered(lambda: self._faults.clear(request.id), context))


def _answered(do: Callable[[], T], context: grpc.ServicerContext) -> T:
    try:
        return do()
    except SimError as error:
        context.abort(error.code, error.message)
        raise AssertionError("abort always raises") from error


def serve_faults(faults: Faults, listen: str) -> tuple[grpc.Server, str]:
    """Serve the rules on a loopback address; return the server and where it listens. OSError on any other address.

    There is no authentication: any process that reaches the port can break the simulator.
    """
    host = listen.rpartition(":")[0]
    if not _loopback(host):
        raise OSError(f"faults are taken on a loopback address only, {listen} is none")
    server = grpc.server(ThreadPoolExecutor(_THREADS, "faults"), options=[("grpc.so_reuseport", 0)])
    pb_grpc.add_FaultServiceServicer_to_server(FaultService(faults), server)
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        raise OSError(f"cannot listen on {listen}") from None
    server.start()
    return server, f"{host}:{port}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
