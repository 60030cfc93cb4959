"""Buffers a response: bytes that the socket does not take at once wait in memory, not in a thread."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

#: What a non-blocking socket raises when it would block.
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _nothing() -> None:
    """Do nothing."""


class Stream(Protocol):
    """The interface of a push stream; see :mod:`omni_gateway.watch.push_stream`."""

    @property
    def ended(self) -> bool:
        """True once there is nothing more to take."""

    def woken_by(self, wake: Any) -> None:
        """Set the function that is called, in any thread, when there are bytes to take."""

    def take(self) -> bytes:
        """Return the next bytes to write; empty if there are none at present."""

    def attend(self, now: float, look: Any) -> None:
        """Run due timers; ``look`` runs functions that may block."""

    def end(self) -> None:
        """End the stream in good order."""

    def close(self) -> None:
        """Release the stream's resources."""


class ResponseBuffer:
    """Replaces a connection's socket while a thread writes the response; used by that thread, then by the loop.

    A response with Content-Length is in memory anyway: the socket is made non-blocking, and the loop sends what the
    kernel does not take. A response without one, or with ``X-Accel-Buffering: no`` as that of a file from elsewhere has
    it, is a stream and writes blocking, each write at most ``seconds``, unless
    the application hands it over (:meth:`hand_over`): then the loop continues it by :meth:`put` and :meth:`flush`.
    """

    def __init__(self, sock: Any, seconds: float, arrived: float = 0.0, *, asked: bool = False) -> None:
        """``arrived``: when the request did (monotonic seconds); ``asked``: only whether its body would be accepted."""
        #: The address of the listener that the connection came by; the application sees this buffer as the socket.
        self.listener: Any = None
        self.asked = asked
        self.arrived = arrived
        self._sock = sock
        self._seconds = seconds
        self._streams: bool | None = None
        self._chunked = False
        self._waiting: deque[memoryview] = deque()
        self.stream: Stream | None = None
        self.sent = 0
        #: Called at the end of a stream that was handed over.
        self.at_end: Callable[[], None] = _nothing

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the socket."""
        return getattr(self._sock, name)

    def hand_over(self, stream: Stream) -> None:
        """Take a stream over from the application; called once the head is written."""
        self.stream = stream

    def sendall(self, data: bytes) -> None:
        """Send or buffer data; raises TimeoutError if the reader of a blocking stream takes nothing."""
        if self.stream is not None:
            return  # gunicorn's last chunk: the response continues in the loop
        if self._streams is None:  # the head comes first
            head = data.lower()
            self._streams = b"\r\ncontent-length:" not in head or b"\r\nx-accel-buffering: no\r\n" in head
            self._chunked = b"\r\ntransfer-encoding: chunked\r\n" in head
            self._sock.settimeout(self._seconds if self._streams else 0)
        if self._streams:
            self._sock.sendall(data)
        else:
            self._waiting.append(memoryview(data))
            self.flush()

    def put(self, data: bytes) -> None:
        """Buffer more of a stream, to be sent by :meth:`flush`; empty data ends it."""
        if self._chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        if data:
            self._waiting.append(memoryview(data))

    def flush(self) -> bool:
        """Send as much as the socket takes now; return True once nothing is left."""
        while self._waiting:
            try:
                sent = self._sock.send(self._waiting[0])
            except NOT_YET:
                return False
            self.sent += sent
            self._waiting[0] = self._waiting[0][sent:]
            if not self._waiting[0]:
                self._waiting.popleft()
        return True
