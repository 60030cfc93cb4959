"""A real gRPC server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from pysequoia import Cert, Profile, Tsk

from omni_gateway.omni import rpcs
from omni_gateway.omni.rpcs import Rpc

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
STREAMS = {
    rpc.name
    for rpc in (
        rpcs.WATCH,
        rpcs.MACHINE_LOGS,
        rpcs.KUBERNETES_SYNC_MANIFESTS,
        rpcs.GET_SUPPORT_BUNDLE,
        rpcs.READ_AUDIT_LOG,
        rpcs.MAINTENANCE_LIFECYCLE,
    )
}
BY_PATH = {rpc.path: rpc for rpc in rpcs.ALL}


@dataclass(frozen=True)
class TestKey:
    """A service account's key, and the certificate that verifies what it signs."""

    __test__ = False
    text: str = field(repr=False)
    certificate: Cert


def make_key(name: str = "automation", validity_seconds: int = 3600) -> TestKey:
    user_id = f"{name} <{name}@serviceaccount.omni.sidero.dev>"
    secret = Tsk.generate(user_id=user_id, profile=Profile.RFC4880, validity_seconds=validity_seconds)
    document = json.dumps({"name": name, "pgp_key": str(secret)})
    return TestKey(base64.b64encode(document.encode()).decode(), secret.extract_certificate())


@dataclass(frozen=True)
class Asked:
    """One call as the server saw it."""

    method: str
    request: Message
    metadata: tuple[tuple[str, str], ...]
    peer: str

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.metadata if name == key]


class ScriptedOmni(grpc.GenericRpcHandler):
    """Answers by ``answer``; a call that nothing was said about gets its empty answer."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.port = 0
        self._behaviours: dict[str, Behaviour] = {}
        self.stopping = threading.Event()

    def answer(self, rpc: Rpc[Any, Any], behaviour: Behaviour | Message | list[Message]) -> None:
        """Answer with a message, a list of messages (a stream), or what a function of request and context says."""
        self._behaviours[rpc.name] = behaviour if callable(behaviour) else lambda request, context: behaviour

    def calls(self, rpc: Rpc[Any, Any]) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == rpc.name]

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        rpc = BY_PATH.get(details.method)
        if rpc is None:
            return None
        handler = grpc.unary_stream_rpc_method_handler if rpc.name in STREAMS else grpc.unary_unary_rpc_method_handler
        return handler(
            lambda request, context: self._serve(rpc, request, context),
            request_deserializer=rpc.request.FromString,
            response_serializer=rpc.response.SerializeToString,
        )

    def _serve(self, rpc: Rpc[Any, Any], request: Message, context: grpc.ServicerContext) -> Any:
        metadata = tuple((entry[0], entry[1]) for entry in context.invocation_metadata())
        self.asked.append(Asked(rpc.name, request, metadata, context.peer()))
        behaviour = self._behaviours.get(rpc.name)
        if behaviour is not None:
            answer = behaviour(request, context)
            return iter(answer) if isinstance(answer, list) else answer
        return iter(()) if rpc.name in STREAMS else rpc.response()


@contextmanager
def serving(
    credentials: grpc.ServerCredentials | None = None, port: int = 0, *, threads: int = 16
) -> Iterator[ScriptedOmni]:
    """Run a ``ScriptedOmni`` on a loopback port, an ephemeral one unless told otherwise; each watch holds a thread."""
    omni = ScriptedOmni()
    options = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(threads), handlers=[omni], options=options)
    address = f"127.0.0.1:{port}"
    omni.port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield omni
    finally:
        omni.stopping.set()
        server.stop(0).wait()
