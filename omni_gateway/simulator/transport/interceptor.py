"""Verifies the caller of every call, and maps exceptions to gRPC statuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc

from omni_gateway.simulator.errors import SimError, Unauthenticated, Unknown
from omni_gateway.simulator.identity.caller import ANONYMOUS, Identity, set_caller
from omni_gateway.simulator.identity.signing import Metadata, Verifier, is_signed
from omni_gateway.simulator.kinds import MACHINE_STATUS
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.transport.handler_wrapper import WrappingInterceptor

log = logging.getLogger(__name__)

_OPEN = frozenset(
    f"/auth.AuthService/{name}" for name in ("RegisterPublicKey", "AwaitPublicKeyConfirmation", "ConfirmPublicKey")
)
_MAY_BE_PUBLIC = frozenset(f"/omni.resources.ResourceService/{name}" for name in ("Get", "List", "Create"))
_RESOLVES_FIRST = "/machine.MachineService/"
"""A Talos call's caller matters only once its target is found: its service checks it (`access.require`)."""


class CallerInterceptor(WrappingInterceptor):
    """Verifies the signature in the worker's thread, then runs the call as its caller."""

    def __init__(self, verifier: Verifier, store: Store) -> None:
        self._verifier = verifier
        self._store = store

    def _unary(self, method: str, serve: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                set_caller(self._caller(method, context.invocation_metadata()))
                return serve(request, context)
            except Exception as error:
                _fail(method, error, context)

        return call

    def _streaming(self, method: str, serve: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                set_caller(self._caller(method, context.invocation_metadata()))
                yield from serve(request, context)
            except Exception as error:
                _fail(method, error, context)

        return call

    def _caller(self, method: str, metadata: Metadata) -> Identity:
        if method in _OPEN:
            return ANONYMOUS
        if method.startswith(_RESOLVES_FIRST):
            try:
                return self._verifier.verify(method, metadata)
            except Unauthenticated:
                return ANONYMOUS
        self._check_nodes(metadata)
        if method in _MAY_BE_PUBLIC and not is_signed(metadata):
            return ANONYMOUS
        return self._verifier.verify(method, metadata)

    def _check_nodes(self, metadata: Metadata) -> None:
        """Resolve the nodes that a call names though it is not for Talos: Omni does so before it looks further."""
        for key, value in metadata:
            if key in ("node", "nodes") and self._store.peek("default", MACHINE_STATUS, str(value)) is None:
                raise Unknown("node not found")


def _fail(method: str, error: Exception, context: grpc.ServicerContext) -> NoReturn:
    """End a call with the status that its failure stands for; nothing of an unforeseen one leaves the process."""
    if isinstance(error, SimError):
        context.abort(error.code, error.message)
    ended = context.code() is not None  # type: ignore[attr-defined]  # the service has set the code itself
    if ended or not context.is_active():
        raise error
    log.error("%s failed", method, exc_info=error)
    context.abort(grpc.StatusCode.UNKNOWN, "the simulator failed; its log says why")
    raise AssertionError("abort always raises")
