"""Buffers the bytes of a request, and detects when it is complete.

The end is detected only to decide when a thread is worth taking. gunicorn's own parser then reads the same bytes,
decides what they mean, and gets none beyond them, so that a disagreement of the two closes the connection instead of
smuggling a request.
"""

from __future__ import annotations

import re

from omni_gateway.server.error_responses import RequestRejected

LONGEST_HEAD = 64 * 1024
"""Bytes of a request line and its header fields."""
LONGEST_CHUNK_LINE = 256
LARGE = 64 * 1024
"""Bytes; for larger bodies the application is asked first, and their memory is bounded."""
_HEAD_END = re.compile(rb"\n\r?\n")
#: Blanks around a value are left to ``strip``: matching them takes quadratic time or worse.
_FIELDS = re.compile(
    rb"\n(content-length|transfer-encoding|expect|authorization|x-forwarded-for)[ \t]*:([^\n]*)", re.IGNORECASE
)


class RequestBuffer:
    """Received bytes of a connection; passed to gunicorn's parser as its socket, of which it uses only ``recv``.

    ``longest_body``: bytes; a request that announces or sends more is rejected.
    """

    def __init__(self, longest_body: int) -> None:
        self._longest_body = longest_body
        self.data = bytearray()
        self.begin()

    def begin(self) -> None:
        """Start with the next request; bytes that have been received already are retained."""
        self._looked = self._head_size = 0
        self._end: int | None = None
        self._chunks: _Chunks | None = None
        self.wants_continue = False
        self.continued = False
        self.has_body = False
        self.admitted = False
        self.arrived = 0.0
        self.start_line = b""
        self.authorization = b""
        self.forwarded_for: list[bytes] = []

    @property
    def large(self) -> bool:
        """True if the body is larger than :data:`LARGE`, by its announced or its received size."""
        if not self.has_body:
            return False
        announced = (self._end or 0) - self._head_size if self._chunks is None else 0
        return max(announced, self.body_size) > LARGE

    @property
    def head(self) -> bytes:
        """The request line and header fields; empty until they are complete."""
        return bytes(self.data[: self._head_size])

    @property
    def body_size(self) -> int:
        """Received bytes of the body, including the framing of chunks."""
        return len(self.data) - self._head_size if self.has_body else 0

    def recv(self, size: int) -> bytes:
        """Return bytes to the parser; raises ConnectionResetError at the end of the buffered request."""
        if not self.data:
            raise ConnectionResetError("the request ended before its end")
        piece = bytes(self.data[:size])
        del self.data[:size]
        return piece

    def complete(self) -> bool:
        """Return True once a request is complete; raises :class:`RequestRejected` for one that is too large."""
        if self._end is None and self._chunks is None and not self._head_is_there():
            return False
        if self._chunks is not None:
            return self._chunks.ended(self.data)
        return len(self.data) >= (self._end or 0)

    def _head_is_there(self) -> bool:
        found = _HEAD_END.search(self.data, max(0, self._looked - 2))
        self._looked = len(self.data)
        if (found.end() if found else len(self.data)) > LONGEST_HEAD:
            raise RequestRejected(
                431, "headers-too-large", f"The header fields are larger than {LONGEST_HEAD} bytes in all."
            )
        if found:
            self._read_head(bytes(self.data[: found.end()]))
        return found is not None

    def _read_head(self, head: bytes) -> None:
        """Determine the framing of the body; an ambiguous head counts as complete, and the parser rejects it."""
        self._end = self._head_size = len(head)
        self.start_line = head.partition(b"\n")[0]
        lengths, codings, expectations = self._read_fields(head)
        if (lengths and codings) or len(lengths) > 1 or any(value != b"100-continue" for value in expectations):
            return
        if codings and codings[-1].endswith(b"chunked"):
            self._chunks = _Chunks(self._end, self._longest_body)
        elif lengths and lengths[0].isdigit():
            if len(lengths[0]) > 18 or int(lengths[0]) > self._longest_body:
                raise _too_large(self._longest_body)
            self._end += int(lengths[0])
        self.has_body = self._chunks is not None or self._end > len(head)
        self.wants_continue = bool(expectations) and b" HTTP/1.1" in self.start_line

    def _read_fields(self, head: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """Store the fields that identify the caller; return the values of those that frame the body, in lower case."""
        lengths: list[bytes] = []
        codings: list[bytes] = []
        expectations: list[bytes] = []
        framing = {b"content-length": lengths, b"transfer-encoding": codings, b"expect": expectations}
        for name, field in _FIELDS.findall(head):
            lowered, value = name.lower(), field.removesuffix(b"\r").strip(b" \t")
            if lowered == b"authorization":
                self.authorization = value
            elif lowered == b"x-forwarded-for":
                self.forwarded_for += [part.strip(b" \t") for part in value.split(b",")]
            else:
                framing[lowered].append(value.lower())
        return lengths, codings, expectations


class _Chunks:
    """Finds the end of a chunked body (RFC 9112 §7.1) in linear time: no byte is examined twice."""

    def __init__(self, at: int, longest: int) -> None:
        self._at = at
        self._looked = at
        self._size = 0
        self._longest = longest
        self._start = at
        self._trailers = False

    def ended(self, data: bytearray) -> bool:
        """Continue with newly received bytes; return True at the end of the body."""
        while not self._trailers:
            if len(data) - self._start > 2 * self._longest + LONGEST_HEAD:
                raise _too_large(self._longest)
            if self._at >= len(data):
                return False
            end = data.find(b"\n", max(self._at, self._looked))
            self._looked = len(data)
            if (end if end >= 0 else len(data)) - self._at > LONGEST_CHUNK_LINE:
                raise RequestRejected(400, "bad-request", "A chunk's size line is too long.")
            if end < 0:
                return False
            self._take_line(bytes(data[self._at : end]), end + 1)
        found = _HEAD_END.search(data, max(self._at - 1, self._looked - 2))
        self._looked = len(data)
        if (found.end() if found else len(data)) - self._at > LONGEST_HEAD:
            raise RequestRejected(431, "headers-too-large", "The trailer fields are too large.")
        return found is not None

    def _take_line(self, line: bytes, after: int) -> None:
        digits = line.partition(b";")[0].strip(b" \t\r")
        if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", digits):
            raise RequestRejected(400, "bad-request", "A chunk's size is no hexadecimal number.")
        size = int(digits, 16)
        self._size += size
        if self._size > self._longest:
            raise _too_large(self._longest)
        self._trailers = size == 0
        self._at = after if self._trailers else after + size + 2
        self._looked = self._at


def _too_large(longest: int) -> RequestRejected:
    return RequestRejected(413, "too-large", f"The body is larger than the {longest} bytes that this gateway takes.")
