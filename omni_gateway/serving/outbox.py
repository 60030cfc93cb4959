"""An answer on its way out: what its reader does not take at once waits in memory, not in a thread."""

from __future__ import annotations

import ssl
from collections import deque
from typing import Any

#: What a non-blocking socket says when it cannot go on yet.
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Outbox:
    """Stands for a connection's socket while an answer is written.

    An answer of known length is in memory as it is; what the kernel does not take is left for the worker's loop. A
    stream's length is not known: it holds its thread (and counts as a stream), and each write may take ``seconds``.
    """

    def __init__(self, sock: Any, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._streams: bool | None = None
        self._waiting: deque[memoryview] = deque()

    def __getattr__(self, name: str) -> Any:
        """Be the socket in everything else."""
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Send, or keep for later; TimeoutError when a stream's reader takes nothing."""
        if self._streams is None:  # the head comes first
            self._streams = b"\r\ncontent-length:" not in data.lower()
            self._sock.settimeout(self._seconds if self._streams else 0)
        if self._streams:
            self._sock.sendall(data)
        else:
            self._waiting.append(memoryview(data))
            self.flush()

    def flush(self) -> bool:
        """Send what can be sent now; whether that was all."""
        while self._waiting:
            try:
                sent = self._sock.send(self._waiting[0])
            except NOT_YET:
                return False
            self._waiting[0] = self._waiting[0][sent:]
            if not self._waiting[0]:
                self._waiting.popleft()
        return True
