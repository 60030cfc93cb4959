"""The one way a call is made: request written, metadata checked, signed, bounded in time, its failure told apart."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import grpc
import orjson
from google.protobuf.message import Message

from omni_gateway.omni import deadline, outcomes
from omni_gateway.omni.channel import ChannelHolder
from omni_gateway.omni.errors import Cancelled, InvalidArgument, NoTimeLeft, OmniError, Unknown, from_rpc
from omni_gateway.omni.interceptors import SigningInterceptor
from omni_gateway.omni.rpcs import Rpc
from omni_gateway.omni.signing import Metadata, Signer
from omni_gateway.omni.streams import Stream

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)
ItemT = TypeVar("ItemT")


class WriteRefused(RuntimeError):
    """A request that only reads was about to change something in Omni: a defect of the code that serves it."""


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

    def only_reads(self) -> Calls:
        """Return the same calls without those that change something: :class:`WriteRefused` instead of sending one."""
        other = copy.copy(self)
        other._only_reads = True
        return other

    def _refuse_write(self, rpc: Rpc[Any, Any]) -> None:
        if self._only_reads and not rpc.only_reads:
            raise WriteRefused(f"{rpc.name} changes something, and this request only reads")

    def noted(self, note: Callable[[], None]) -> Calls:
        """Return the same calls, where ``note`` is called before each."""
        other = copy.copy(self)
        other._note = note
        return other

    def probing(self) -> Calls:
        """Return the same calls, made to find out whether Omni answers: also when it has been silent."""
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

        It gets no more than what is left of the request's time (:mod:`~omni_gateway.omni.deadline`).
        """
        self._refuse_write(rpc)
        self._note()
        request = _written(rpc.name, build)
        entries = _sendable(rpc.name, metadata)
        seconds = deadline.left(self._timeout if timeout is None else timeout)
        circuit = self._holder.circuit
        circuit.admit(rpc.name, probe=self._probe)
        if seconds <= 0:
            raise _late(rpc.name)
        failure: OmniError | None = None
        started = time.monotonic()
        try:
            call = self._signed_channel().unary(rpc)
            return call(request, timeout=seconds, metadata=entries)  # type: ignore[no-any-return]
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
        """Open a stream at once; ``expand`` tells what one message holds.

        Without ``timeout`` it lasts as it likes, or as long as the request's time does where one is being served.
        """
        self._refuse_write(rpc)
        self._note()
        request = _written(rpc.name, build)
        entries = _sendable(rpc.name, metadata)
        timeout = deadline.left_for_stream(timeout)
        circuit = self._holder.circuit
        circuit.admit(rpc.name, probe=self._probe)
        if timeout is not None and timeout <= 0:
            raise _late(rpc.name)
        outcomes.note(rpc.name, None)
        try:
            call = self._signed_channel().streaming(rpc)
            self._holder.observer(rpc.name, grpc.StatusCode.OK.name, None)
            return Stream(rpc.name, call(request, timeout=timeout, metadata=entries), expand, circuit.answered)
        except grpc.RpcError as error:
            raise from_rpc(rpc.name, error) from None
        except ValueError:
            raise _closed(rpc.name) from None

    def begin(
        self,
        rpc: Rpc[RequestT, ResponseT],
        build: Callable[[], RequestT],
        *,
        metadata: Metadata = (),
        timeout: float,
    ) -> bool:
        """Send a call whose answer nobody waits for, and no thread; false when too many are under way (not sent).

        It ends with the process, or with the channel, at the latest after ``timeout`` seconds: only for what can be
        asked for again.
        """
        self._refuse_write(rpc)
        self._note()
        request = _written(rpc.name, build)
        entries = _sendable(rpc.name, metadata)
        unawaited = self._holder.unawaited
        if not unawaited.enter():
            return False
        try:
            call = self._signed_channel().unary(rpc).future(request, timeout=timeout, metadata=entries)
        except ValueError:
            unawaited.leave()
            raise _closed(rpc.name) from None
        call.add_done_callback(lambda _: unawaited.leave())
        self._holder.observer(rpc.name, grpc.StatusCode.OK.name, None)
        outcomes.note(rpc.name, None)
        return True

    def _signed_channel(self) -> _SignedChannel:
        raw = self._holder.get()
        ready = self._ready
        if ready is None or ready.raw is not raw:
            self._ready = ready = _SignedChannel(raw, self._interceptor)
        return ready


class _SignedChannel:
    """A channel with its callables made once: making one costs as much as signing."""

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


#: Codes that gRPC itself gives a call when nothing has come from the server.
_NO_ANSWER = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


def _nothing() -> None:
    """Note nothing."""


def _written(method: str, build: Callable[[], RequestT]) -> RequestT:
    try:
        return build()
    except ValueError as error:  # a number too large, a name that no enum has, text that is not valid Unicode
        raise InvalidArgument(
            grpc.StatusCode.INVALID_ARGUMENT, f"the request cannot be written: {error}", method
        ) from None


def _sendable(method: str, metadata: Metadata) -> Metadata:
    """Return the entries without outer space; HTTP/2 carries printable ASCII only, and gRPC reports less clearly."""
    entries = tuple((key, value.strip()) for key, value in metadata)
    for key, value in entries:
        if not (value.isascii() and value.isprintable()):
            raise InvalidArgument(
                grpc.StatusCode.INVALID_ARGUMENT, f"{key} may hold printable ASCII characters only", method
            )
    return entries


def parsed(method: str, text: str) -> Any:
    """Return the JSON that a call answered with; ``Unknown`` when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unknown(grpc.StatusCode.UNKNOWN, "the answer is not JSON", method) from None


def _late(method: str) -> OmniError:
    return NoTimeLeft(grpc.StatusCode.DEADLINE_EXCEEDED, "the request's time was over before this call", method)


def _closed(method: str) -> OmniError:
    return Cancelled(grpc.StatusCode.CANCELLED, "the client was closed meanwhile", method)
