"""Applies the rules to calls, in front of everything else that the server does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Any, NoReturn, TypeAlias

import grpc

from omni_gateway.simulator.faults.registry import Faults
from omni_gateway.simulator.faults.rule import Call, Fault
from omni_gateway.simulator.state.stale_reads import held_at
from omni_gateway.simulator.transport.handler_wrapper import WrappingInterceptor

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Details = grpc.HandlerCallDetails
Context = grpc.ServicerContext

BROKEN = "the connection broke (a fault on demand)"
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class FaultInjector(WrappingInterceptor):
    """Applies the rules in force to each call."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def _unary(self, method: str, serve: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: Context) -> Any:
            struck = self._faults.striking(Call.of(method, request))
            if not struck:
                return serve(request, context)
            _before(struck, context)
            lost = next((fault for fault in struck if fault.kind == "answer_lost"), None)
            with held_at(next((fault.snapshot for fault in struck if fault.snapshot), None)):
                if lost is None:
                    return serve(request, context)
                with suppress(Exception):  # a refusal is an answer too
                    serve(request, context)
            _lose(lost, context)

        return call

    def _streaming(self, method: str, serve: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: Context) -> Iterator[Any]:
            about = Call.of(method, request)
            known = self._faults.newest
            struck = self._faults.striking(about)
            _before(struck, context)
            left = [fault.rule.cut.after_messages for fault in struck if fault.kind == "cut"]
            _cut(left, context)
            with closing(serve(request, context)) as messages:
                for message in messages:
                    since, known = known, self._faults.newest
                    if since != known:
                        later = self._faults.striking(about, since, only="cut")
                        left += [fault.rule.cut.after_messages for fault in later]
                        _cut(left, context)
                    yield message
                    left = [count - 1 for count in left]
                    _cut(left, context)

        return call


def _before(struck: Sequence[Fault], context: Context) -> None:
    """Apply the faults that precede the call itself, in the order of the rules."""
    for fault in struck:
        if fault.kind == "delay":
            _pause(fault.rule.delay.seconds, context)
        elif fault.kind == "silence":
            fault.hold(context.add_callback)
        elif fault.kind == "error":
            text = fault.rule.error.message or "a fault on demand"
            context.abort(_CODES[fault.rule.error.code], text)
        if not context.is_active():
            context.abort(grpc.StatusCode.CANCELLED, "the caller has left")


def _pause(seconds: float, context: Context) -> None:
    ended = threading.Event()
    if context.add_callback(ended.set):
        ended.wait(seconds)


def _lose(fault: Fault, context: Context) -> NoReturn:
    if fault.rule.answer_lost.hang:
        fault.hold(context.add_callback)
    context.abort(grpc.StatusCode.UNAVAILABLE, BROKEN)
    raise AssertionError("abort always raises")


def _cut(left: Sequence[int], context: Context) -> None:
    if left and min(left) <= 0:
        context.abort(grpc.StatusCode.UNAVAILABLE, BROKEN)
