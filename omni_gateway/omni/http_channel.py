"""A channel over Omni's HTTP gateway, for networks whose proxies pass HTTP/1.1 only.

Omni serves its gRPC services, and Talos' machine API behind it, as JSON too: its web interface uses them. A call is
``POST /api/package.Service/Method`` with the request as protobuf's JSON; each metadata entry is a header
``Grpc-Metadata-…``, so calls are signed as they are over gRPC. A stream answers one JSON object a line, ``{"result":
…}`` or at last ``{"error": …}``. See docs/transport.md.
"""

from __future__ import annotations

import base64
import gzip
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, NoReturn, Self

import grpc
import orjson
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.http_connection import BROKEN, Connection, Connections
from omni_gateway.omni.http_outcome import Code, HttpOutcome, fail, of_answer, of_exception, of_status
from omni_gateway.omni.rpcs import REPEATABLE

_PREFIX = "/api"
_OK = 200
#: gRPC's syntax has eight digits.
_LONGEST_MS = 99_999_999
_REPEATABLE = frozenset(rpc.path for rpc in REPEATABLE)
#: Seconds before each further attempt of a repeatable call; the gRPC channel's service config has the same.
_PAUSES = (0.1, 0.2, 0.4)

Entries = Sequence[tuple[str, str | bytes]]


class HttpChannel(grpc.Channel):
    """Makes calls of any service whose stubs are loaded; what Omni does not serve by HTTP ends as ``UNIMPLEMENTED``.

    Serializers are not used: messages travel as JSON.
    """

    def __init__(self, config: OmniConfig, roots: bytes | None) -> None:
        """Raises ``Unavailable`` if ``insecure`` is set and there is no TLS."""
        self._connections = Connections(config, roots)
        self._most_bytes = config.max_message_bytes

    def unary_unary(self, method: str, *_: Any, **__: Any) -> grpc.UnaryUnaryMultiCallable[Any, Any]:
        """Return the function that makes a call which is answered once."""
        return _Unary(method, self._connections, self._most_bytes)

    def unary_stream(self, method: str, *_: Any, **__: Any) -> grpc.UnaryStreamMultiCallable[Any, Any]:
        """Return the function that opens a stream."""
        return _Streaming(method, self._connections, self._most_bytes)

    def stream_unary(self, method: str, *_: Any, **__: Any) -> NoReturn:
        """Raise: Omni's HTTP gateway takes one request."""
        fail(Code.UNIMPLEMENTED, f"{method} sends a stream, which Omni's HTTP gateway does not take")

    stream_stream = stream_unary

    def subscribe(self, callback: Callable[[Any], None], try_to_connect: bool | None = False) -> None:
        """Do nothing: there is no connection whose state could be followed."""

    def unsubscribe(self, callback: Callable[[Any], None]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """End all calls in progress."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self.close()
        return None


class _Method:
    """One method: its path and its response's class."""

    def __init__(self, path: str, connections: Connections, most_bytes: int) -> None:
        self._path = path
        self._connections = connections
        self._most_bytes = most_bytes
        service, _, name = path.removeprefix("/").partition("/")
        method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
        self._response = message_factory.GetMessageClass(method.output_type)

    def _send(self, request: Message, entries: Entries, ends: float | None, encoding: str) -> Connection:
        """Send a request and return its connection; raises ``HttpOutcome``."""
        document = MessageToDict(request, preserving_proto_field_name=True, use_integers_for_enums=True)
        headers = [("Content-Type", "application/json"), ("Accept-Encoding", encoding), ("User-Agent", "omni-gateway")]
        headers += [(f"Grpc-Metadata-{key}", _header_value(value)) for key, value in entries]
        seconds = _left(ends)
        if seconds is not None:
            headers.append(("Grpc-Timeout", f"{min(max(1, int(seconds * 1000)), _LONGEST_MS)}m"))
        try:
            connection = self._connections.take(seconds)
        except BROKEN as error:
            raise of_exception(error, sent=False, closed=self._connections.closed.is_set()) from None
        try:
            connection.wait_until(ends)
            connection.send(f"{_PREFIX}{self._path}", headers, orjson.dumps(document))
        except BROKEN as error:
            self._connections.drop(connection)
            raise of_exception(error, sent=True, closed=self._connections.closed.is_set()) from None
        return connection

    def _parse(self, document: Any) -> Message:
        """Return the message that a JSON value stands for; raises ``HttpOutcome``."""
        try:
            if not isinstance(document, dict):
                raise ParseError("not an object")
            return ParseDict(document, self._response(), ignore_unknown_fields=True)
        except ParseError as error:
            fail(Code.INTERNAL, f"the answer is not a {self._response.DESCRIPTOR.full_name}: {error}")

    def _refuse_beyond_bound(self, size: int) -> None:
        if size > self._most_bytes:
            fail(Code.RESOURCE_EXHAUSTED, f"received a message larger than max ({size} vs. {self._most_bytes})")


class _Unary(_Method, grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]
    """Makes calls that are answered once."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Entries | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Make a call and return its response; raises ``HttpOutcome``."""
        return self.with_call(request, timeout, metadata)[0]

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Entries | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> tuple[Any, grpc.Call]:
        """Make a call and return its response and its end; raises ``HttpOutcome``."""
        ends = None if timeout is None else time.monotonic() + timeout
        for pause in _PAUSES if self._path in _REPEATABLE else ():
            try:
                return self._attempt(request, metadata or (), ends)
            except HttpOutcome as failure:
                left = _left(ends)
                if failure.code() is not Code.UNAVAILABLE or (left is not None and left <= pause):
                    raise
            self._connections.closed.wait(pause)
        return self._attempt(request, metadata or (), ends)

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Entries | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Make a call in a thread of its own and return its future."""
        future: Future[Any] = Future()

        def call() -> None:
            try:
                future.set_result(self(request, timeout, metadata))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=call, name=f"http-{self._path[1:]}", daemon=True).start()
        return future

    def _attempt(self, request: Message, entries: Entries, ends: float | None) -> tuple[Any, grpc.Call]:
        connection = self._send(request, entries, ends, "gzip")
        reusable = False
        try:
            response = connection.response()
            text = self._read(connection, response, ends)
            reusable = not response.will_close
        except BROKEN as error:
            raise of_exception(error, sent=True, closed=self._connections.closed.is_set()) from None
        finally:
            if reusable:
                self._connections.give_back(connection)
            else:
                self._connections.drop(connection)
        if response.status != _OK:
            raise of_answer(response, text)
        message = self._parse(_json(text))
        return message, HttpOutcome(Code.OK, response=message)

    def _read(self, connection: Connection, response: HTTPResponse, ends: float | None) -> bytes:
        body = bytearray()
        for piece in connection.pieces(response, ends):
            body += piece
            self._refuse_beyond_bound(len(body))
        if response.headers.get("Content-Encoding") != "gzip":
            return bytes(body)
        text = gzip.decompress(body)
        self._refuse_beyond_bound(len(text))
        return text


class _Streaming(_Method, grpc.UnaryStreamMultiCallable):  # type: ignore[type-arg]
    """Opens streams."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Entries | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Send the request and return the stream; raises ``HttpOutcome`` if it cannot be sent."""
        ends = None if timeout is None else time.monotonic() + timeout
        # Omni sends the head of an answer together with its first message, which may be long in coming.
        connection = self._send(request, metadata or (), ends, "identity")
        return _HttpStream(self, connection, ends)

    def lines(self, connection: Connection, response: HTTPResponse, ends: float | None) -> Iterator[bytes]:
        """Yield the lines of an answer as they come; raises ``HttpOutcome``, or what the connection raises."""
        begun = bytearray()
        for piece in connection.pieces(response, ends):
            whole, newline, rest = piece.rpartition(b"\n")
            if newline:
                yield from bytes(begun + whole).split(b"\n")
                begun.clear()
            begun += rest
            self._refuse_beyond_bound(len(begun))
        if begun:
            yield bytes(begun)

    def message(self, line: bytes) -> Message:
        """Return the message of a line; raises ``HttpOutcome``, also for the error that a stream ends with."""
        document = _json(line)
        if isinstance(document, dict) and "result" in document:
            return self._parse(document["result"])
        try:
            raise of_status(document)
        except ValueError:
            fail(Code.INTERNAL, "a line of the stream is neither a result nor an error")

    def close(self, connection: Connection) -> None:
        """Close the connection of a stream that has ended."""
        self._connections.drop(connection)

    @property
    def closed(self) -> bool:
        """Return whether the channel was closed."""
        return self._connections.closed.is_set()


class _HttpStream(grpc.Call):
    """The messages of one stream; one thread iterates, any thread may cancel."""

    def __init__(self, method: _Streaming, connection: Connection, ends: float | None) -> None:
        self._method = method
        self._connection = connection
        self._ends = ends
        self._lines = self._read()
        self._cancelled = False
        self._iterating = threading.Lock()
        self._end: HttpOutcome | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        with self._iterating:
            if self._end is None:
                try:
                    return self._method.message(next(self._lines))
                except StopIteration:
                    self._end = HttpOutcome(Code.OK)
                except HttpOutcome as outcome:
                    self._end = outcome
                except BROKEN as error:
                    self._end = of_exception(error, sent=True, closed=self._cancelled or self._method.closed)
                self._method.close(self._connection)
        if self._end.code() is Code.OK:
            raise StopIteration
        raise self._end

    def _read(self) -> Iterator[bytes]:
        self._connection.wait_until(self._ends)
        response = self._connection.response()
        lines = self._method.lines(self._connection, response, self._ends)
        if response.status != _OK:
            raise of_answer(response, b"".join(lines))
        yield from lines

    def cancel(self) -> bool:
        """End it: the thread that iterates gets the error ``CANCELLED``."""
        self._cancelled = True
        self._connection.abort()
        # A thread that reads the connection closes it, once it is woken.
        if self._iterating.acquire(blocking=False):
            try:
                self._end = self._end or HttpOutcome(Code.CANCELLED, "cancelled")
                self._method.close(self._connection)
            finally:
                self._iterating.release()
        return True

    def is_active(self) -> bool:
        """Return whether it has not ended."""
        return self._end is None and not self._cancelled

    def time_remaining(self) -> float:
        """Return the seconds until its deadline; infinite without one."""
        left = _left(self._ends)
        return math.inf if left is None else left

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Return False: nothing is called at the end."""
        return False

    def initial_metadata(self) -> tuple[Any, ...]:
        """Return nothing: Omni sends none."""
        return ()

    def trailing_metadata(self) -> tuple[Any, ...]:
        """Return those of the end."""
        return self._end.trailing_metadata() if self._end else ()

    def code(self) -> Code:
        """Return the status of the end; ``UNKNOWN`` before."""
        return self._end.code() if self._end else Code.UNKNOWN

    def details(self) -> str:
        """Return the text of the end."""
        return self._end.details() if self._end else ""


def _left(ends: float | None) -> float | None:
    return None if ends is None else ends - time.monotonic()


def _header_value(value: str | bytes) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        fail(Code.UNKNOWN, "the answer is not JSON: it is not from Omni but from a proxy in front of it")
