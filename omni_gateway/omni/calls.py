"""Calls to Omni: build the request, check the metadata, sign, apply the deadline, and map errors to ``OmniError``."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import grpc
import orjson
from google.protobuf.message import Message

from omni_gateway import tracing
from omni_gateway.omni import deadline, outcomes
from omni_gateway.omni.channel import ChannelHolder
from omni_gateway.omni.errors import Cancelled, InvalidArgument, NoTimeLeft, OmniError, Unknown, from_rpc
from omni_gateway.omni.interceptors import SigningInterceptor
from omni_gateway.omni.large_lists import LargeLists
from omni_gateway.omni.rpcs import Rpc
from omni_gateway.omni.signing import Metadata, Signer
from omni_gateway.omni.streams import Stream

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)
ItemT = TypeVar("ItemT")


class WriteRefused(RuntimeError):
    """A read-only client was used for a write: a defect of the code that serves the request."""


class Calls:
    """Makes calls as one identity over the process's channel."""

    def __init__(self, holder: ChannelHolder, signer: Signer, timeout: float) -> None:
        self._holder = holder
        self._note: Callable[[], None] = _nothing
        self._interceptor = SigningInterceptor(signer)
        self._timeout = timeout
        self._ready: _SignedChannel | None = None
        self._only_reads = False
        self._probe = False

    @property
    def timeout(self) -> float:
        """Return the seconds that a call has by default."""
        return self._timeout

    @property
    def large_lists(self) -> LargeLists:
        """Return what is known of lists that do not fit into one message."""
        return self._holder.large_lists

    def only_reads(self) -> Calls:
        """Return a copy that raises :class:`WriteRefused` instead of sending a call that changes something."""
        other = copy.copy(self)
        other._only_reads = True
        return other

    def noted(self, note: Callable[[], None]) -> Calls:
        """Return a copy that calls ``note`` before each call."""
        other = copy.copy(self)
        other._note = note
        return other

    def probing(self) -> Calls:
        """Return a copy whose calls are sent even while the circuit is open: probes of whether Omni answers again."""
        other = copy.copy(self)
        other._probe = True
        return other

    def channel(self) -> grpc.Channel:
        """Return this process's channel; every call over it is signed."""
        return self._signed_channel().channel

    def unary(
        self,
        rpc: Rpc[RequestT, ResponseT],
        build: Callable[[], RequestT],
        *,
        metadata: Metadata = (),
        timeout: float | None = None,
    ) -> ResponseT:
        """Make one call within ``timeout`` seconds (the configured ones if not given); raises ``OmniError``.

        The request's deadline (:mod:`~omni_gateway.omni.deadline`) shortens that time.
        """
        request, entries = self._prepare(rpc, build, metadata)
        seconds = deadline.left(self._timeout if timeout is None else timeout)
        circuit = self._holder.circuit
        circuit.admit(rpc.name, probe=self._probe)
        if seconds <= 0:
            raise _late(rpc.name)
        failure: OmniError | None = None
        span = self._begin_span(rpc)
        started = time.monotonic()
        try:
            call = self._signed_channel().unary(rpc)
            # The signature does not cover the span's entries: Omni compares those of its list only.
            response: ResponseT = call(request, timeout=seconds, metadata=(*entries, *span.metadata()))
            self._holder.settle()
            return response
        except grpc.RpcError as error:
            failure = from_rpc(rpc.name, error)
            raise failure from None
        except ValueError:
            failure = _closed(rpc.name)
            raise failure from None
        finally:
            code = grpc.StatusCode.OK if failure is None else failure.code
            took = time.monotonic() - started
            if code not in _NO_ANSWER:
                circuit.answered()
            elif code is grpc.StatusCode.DEADLINE_EXCEEDED and took >= 0.95 * seconds:  # else it is Omni's own answer
                circuit.unanswered(started)
            self._holder.observer(rpc.name, code.name, took)
            _end_span(span, code)
            outcomes.note(rpc.name, failure)

    def stream(
        self,
        rpc: Rpc[RequestT, ResponseT],
        build: Callable[[], RequestT],
        expand: Callable[[ResponseT], Iterable[ItemT]],
        *,
        metadata: Metadata = (),
        timeout: float | None = None,
    ) -> Stream[ItemT]:
        """Open a stream; ``expand`` returns the items of a message.

        Without ``timeout`` it has no deadline, unless it is opened while a request is served: then the request's.
        """
        request, entries = self._prepare(rpc, build, metadata)
        timeout = deadline.left_for_stream(timeout)
        circuit = self._holder.circuit
        circuit.admit(rpc.name, probe=self._probe)
        if timeout is not None and timeout <= 0:
            raise _late(rpc.name)
        outcomes.note(rpc.name, None)
        span = self._begin_span(rpc)
        try:
            streaming = self._signed_channel().streaming(rpc)
            self._holder.observer(rpc.name, grpc.StatusCode.OK.name, None)
            call = streaming(request, timeout=timeout, metadata=(*entries, *span.metadata()))
            return Stream(rpc.name, call, expand, circuit.answered, lambda code: _end_span(span, code))
        except grpc.RpcError as error:
            failure = from_rpc(rpc.name, error)
            _end_span(span, failure.code)
            raise failure from None
        except ValueError:
            _end_span(span, grpc.StatusCode.CANCELLED)
            raise _closed(rpc.name) from None

    def begin(
        self,
        rpc: Rpc[RequestT, ResponseT],
        build: Callable[[], RequestT],
        *,
        metadata: Metadata = (),
        timeout: float,
    ) -> bool:
        """Send a call without waiting for its answer; return False, without sending it, if too many are in progress.

        No thread waits either. The call ends with the process or the channel, at the latest after ``timeout`` seconds,
        so it must be one that can be repeated.
        """
        request, entries = self._prepare(rpc, build, metadata)
        unawaited = self._holder.unawaited
        if not unawaited.enter():
            return False
        span = self._begin_span(rpc)
        try:
            metadata = (*entries, *span.metadata())
            call = self._signed_channel().unary(rpc).future(request, timeout=timeout, metadata=metadata)
        except ValueError:
            unawaited.leave()
            _end_span(span, grpc.StatusCode.CANCELLED)
            raise _closed(rpc.name) from None
        call.add_done_callback(lambda _: unawaited.leave())
        span.end()  # its outcome is never waited for
        self._holder.observer(rpc.name, grpc.StatusCode.OK.name, None)
        outcomes.note(rpc.name, None)
        return True

    def _begin_span(self, rpc: Rpc[Any, Any]) -> tracing.ClientSpan:
        return tracing.begin_call(rpc.name, {"rpc.method": rpc.name, **self._holder.span_attributes})

    def _prepare(
        self, rpc: Rpc[RequestT, ResponseT], build: Callable[[], RequestT], metadata: Metadata
    ) -> tuple[RequestT, Metadata]:
        """Return what a call sends; raises ``WriteRefused``, and ``InvalidArgument`` for what cannot be sent."""
        if self._only_reads and not rpc.only_reads:
            raise WriteRefused(f"{rpc.name} changes something, and this request only reads")
        self._note()
        return _written(rpc.name, build), _sendable(rpc.name, metadata)

    def _signed_channel(self) -> _SignedChannel:
        raw = self._holder.get()
        ready = self._ready
        if ready is None or ready.raw is not raw:
            self._ready = ready = _SignedChannel(raw, self._interceptor)
        return ready


class _SignedChannel:
    """A channel with cached callables: making one takes as long as signing a call."""

    def __init__(self, raw: grpc.Channel, interceptor: SigningInterceptor) -> None:
        self.raw = raw
        self.channel = grpc.intercept_channel(raw, interceptor)
        self._unary: dict[str, Any] = {}
        self._streaming: dict[str, Any] = {}

    def unary(self, rpc: Rpc[Any, Any]) -> Any:
        call = self._unary.get(rpc.name)
        if call is None:
            call = self.channel.unary_unary(rpc.path, rpc.request.SerializeToString, rpc.response.FromString)
            self._unary[rpc.name] = call
        return call

    def streaming(self, rpc: Rpc[Any, Any]) -> Any:
        call = self._streaming.get(rpc.name)
        if call is None:
            call = self.channel.unary_stream(rpc.path, rpc.request.SerializeToString, rpc.response.FromString)
            self._streaming[rpc.name] = call
        return call


#: Codes that gRPC sets by itself when nothing was received from the server.
_NO_ANSWER = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


def _nothing() -> None:
    """Note nothing."""


def _end_span(span: tracing.ClientSpan, code: grpc.StatusCode) -> None:
    error = "" if code is grpc.StatusCode.OK else code.name
    span.end(error, {"rpc.response.status_code": code.name})


def _written(method: str, build: Callable[[], RequestT]) -> RequestT:
    try:
        return build()
    except ValueError as error:  # a number too large, a name that no enum has, text that is not valid Unicode
        raise InvalidArgument(
            grpc.StatusCode.INVALID_ARGUMENT, f"the request cannot be written: {error}", method
        ) from None


def _sendable(method: str, metadata: Metadata) -> Metadata:
    """Return the entries stripped; raise ``InvalidArgument`` for values that are not printable ASCII.

    HTTP/2 header values must be; gRPC's own error for others is less clear.
    """
    entries = []
    for key, padded in metadata:
        value = padded.strip()
        entries.append((key, value))
        if not (value.isascii() and value.isprintable()):
            raise InvalidArgument(
                grpc.StatusCode.INVALID_ARGUMENT, f"{key} may hold printable ASCII characters only", method
            )
    return entries


def parsed(method: str, text: str) -> Any:
    """Return the parsed JSON of an answer; raise ``Unknown`` if it is invalid."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unknown(grpc.StatusCode.UNKNOWN, "the answer is not JSON", method) from None


def _late(method: str) -> OmniError:
    return NoTimeLeft(grpc.StatusCode.DEADLINE_EXCEEDED, "the request's time was over before this call", method)


def _closed(method: str) -> OmniError:
    return Cancelled(grpc.StatusCode.CANCELLED, "the client was closed meanwhile", method)
