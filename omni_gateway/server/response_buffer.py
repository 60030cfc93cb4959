"""An answer on its way out: what its reader does not take at once waits in memory, not in a thread."""

from __future__ import annotations

import ssl
from collections import deque
from typing import Any, Protocol

#: What a non-blocking socket says when it cannot go on yet.
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream(Protocol):
    """What an application hands over; see :mod:`omni_gateway.watch.push_stream`."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to take, ever."""

    def woken_by(self, wake: Any) -> None:
        """Have ``wake`` called, from any thread, when there is something to take."""

    def take(self) -> bytes:
        """Return what is to be written next, if there is anything now."""

    def attend(self, now: float, look: Any) -> None:
        """Do what is due; ``look`` runs what may block."""

    def end(self) -> None:
        """End it soon, in good order."""

    def close(self) -> None:
        """Let everything go."""


class ResponseBuffer:
    """Stands for a connection's socket while an answer is written.

    An answer of known length is in memory as it is; what the kernel does not take is left for the worker's loop. A
    stream's length is not known: it holds its thread (and counts as a stream), and each write may take ``seconds``,
    unless the application hands the stream over (``carry``): the rest of it is the loop's then, :meth:`put` by it.
    """

    def __init__(self, sock: Any, seconds: float, arrived: float = 0.0, *, asked: bool = False) -> None:
        """``arrived``: when the request did (monotonic); ``asked``: only whether its body would be taken."""
        self.asked = asked
        self.arrived = arrived
        self._sock = sock
        self._seconds = seconds
        self._streams: bool | None = None
        self._chunked = False
        self._waiting: deque[memoryview] = deque()
        self.stream: Stream | None = None
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        """Be the socket in everything else."""
        return getattr(self._sock, name)

    def hand_over(self, stream: Stream) -> None:
        """Take a stream over from its application, the head being written."""
        self.stream = stream

    def sendall(self, data: bytes) -> None:
        """Send, or keep for later; TimeoutError when a stream's reader takes nothing."""
        if self.stream is not None:
            return  # gunicorn says that the answer ends, which it does not
        if self._streams is None:  # the head comes first
            head = data.lower()
            self._streams = b"\r\ncontent-length:" not in head
            self._chunked = b"\r\ntransfer-encoding: chunked\r\n" in head
            self._sock.settimeout(self._seconds if self._streams else 0)
        if self._streams:
            self._sock.sendall(data)
        else:
            self._waiting.append(memoryview(data))
            self.flush()

    def put(self, data: bytes) -> None:
        """Take more of a stream, to be sent by :meth:`flush`; nothing is its end."""
        if self._chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        if data:
            self._waiting.append(memoryview(data))

    def flush(self) -> bool:
        """Send what can be sent now; whether that was all."""
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
