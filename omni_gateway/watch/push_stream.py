"""A push stream: frame queue, heartbeat and maximum age; the server's event loop, or a thread, drains it.

A server that drains streams without a thread of their own puts a callable into the request's environ under
:data:`PUSH_STREAMS`. The response calls it with the stream once the head is written, and returns; from then on the
server owns the response and the stream. Under any other server the response's own thread drains the stream
(:meth:`PushStream.pieces`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from math import inf

from flask import Response, request

from omni_gateway.cache.subscription import too_far_behind
from omni_gateway.http.guard import credential_checker
from omni_gateway.watch import stream_response
from omni_gateway.watch.stream_feed import ended_at_a_stop

#: In a request's environ: what takes a :class:`PushStream` over, under a server that can.
PUSH_STREAMS = "omni_gateway.carry"
#: Frames that a reader may be behind; one that is further behind is cut off, and goes on from its resume point.
LONGEST_QUEUE = 20_000
#: Bytes of what is written at once, about.
PIECE = 64 * 1024

Look = Callable[[Callable[[], None]], object]


def _nobody() -> None:
    """Wake nobody: nobody carries the stream yet."""


class PushStream:
    """A stream's frames, from :meth:`put` in any thread to :meth:`take` in the one that carries it.

    Nothing here takes a lock: a signal may interrupt the carrier, and ends the stream then.
    """

    def __init__(
        self,
        form: stream_response.Form,
        *,
        proved: Callable[[], bool],
        closed: Callable[[], None],
        heartbeat: float,
        max_age: float,
    ) -> None:
        """``proved`` tells whether the caller is who it was, and may block; ``closed`` is called once, at the end."""
        self._form = form
        self._proved = proved
        self._closed: Callable[[], None] | None = closed
        self._heartbeat = heartbeat
        now = time.monotonic()
        self._beat_at, self._ends = now + heartbeat, now + max_age
        self._look_at = now + stream_response.PROVED_SECONDS
        self._beginning: Iterator[bytes] | None = None
        self._frames: deque[bytes] = deque()
        self._wake = _nobody
        self._signalled = self._ending = False
        self._last = b""
        self.ended = False

    # -- for who has something to say: any thread

    def begin(self, pieces: Iterable[bytes]) -> None:
        """Say these, none of them empty, before all that was put or will be."""
        self._beginning = iter(pieces)

    def put(self, frame: bytes) -> None:
        """Say something; a reader who is too far behind is told so, and nothing more."""
        if self._ending:
            return
        if len(self._frames) >= LONGEST_QUEUE:
            self._beginning = None
            self._frames.clear()
            self.fail(too_far_behind())
            return
        self._frames.append(frame)
        self._signal()

    def fail(self, error: Exception) -> None:
        """End with the event that tells of an error."""
        self.end_with(self._form.write(stream_response.last_event(error)))

    def end(self) -> None:
        """End without a word, and leave unsaid what waits: a stop of the process does not wait for slow readers."""
        self._beginning = None
        self._frames.clear()
        self.end_with(b"")

    def end_with(self, last: bytes) -> None:
        """End with a last frame, after all that was put."""
        if not self._ending:
            self._last, self._ending = last, True
            self._signal()

    def _signal(self) -> None:
        if not self._signalled:
            self._signalled = True
            self._wake()

    # -- for who carries it

    def woken_by(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from any thread, when there is something to take after there was nothing."""
        self._wake = wake
        if self._frames or self._ending:
            wake()

    def take(self) -> bytes:
        """Return what is to be written next; nothing where there is nothing now, or (``ended``) nothing any more."""
        self._signalled = False
        beginning = self._beginning
        if beginning is not None:
            piece = next(beginning, b"")
            if piece:
                return piece
            self._beginning = None
        frames = self._frames
        if frames:
            self._beat_at = time.monotonic() + self._heartbeat
            if some := _some(frames.popleft):
                return some
        if self._ending and not self.ended:
            self.ended = True
            return self._last
        return b""

    def attend(self, now: float, look: Look) -> None:
        """Beat, end at the greatest age, look at the caller's credential again: ``look`` runs that, which may block."""
        if self._ending:
            return
        if now >= self._ends:
            self.end_with(b"")
        elif now >= self._look_at:
            self._look_at = inf  # until it has been looked
            look(self._look)
        if now >= self._beat_at and not self._frames:
            self.put(self._form.beat)

    def _look(self) -> None:
        if not self._proved():
            self.fail(stream_response.credential_ended())
        self._look_at = time.monotonic() + stream_response.PROVED_SECONDS

    def close(self) -> None:
        """Let everything go; safe to call twice, and quick."""
        self._ending = True
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    def pieces(self) -> Iterator[bytes]:
        """Carry it in this thread: return what is to be written, as it comes."""
        told = threading.Event()
        self.woken_by(told.set)
        with ended_at_a_stop(self):
            while not self.ended:
                told.clear()
                while piece := self.take():
                    yield piece
                    self.attend(time.monotonic(), _at_once)
                if not self.ended:
                    now = time.monotonic()
                    told.wait(max(0.0, min(self._beat_at, self._ends, self._look_at) - now))
                    self.attend(time.monotonic(), _at_once)


def _at_once(look: Callable[[], None]) -> None:
    look()


def offered() -> bool:
    """Whether the server of the request in flight carries streams."""
    return PUSH_STREAMS in request.environ


def new(media: str, closed: Callable[[], None]) -> PushStream:
    """Return a stream for the request in flight."""
    return PushStream(
        stream_response.FORMS[media],
        proved=credential_checker(),
        closed=closed,
        heartbeat=stream_response.HEARTBEAT_SECONDS,
        max_age=stream_response.MAX_AGE_SECONDS,
    )


def respond(stream: PushStream, media: str) -> Response:
    """Answer with a stream; the server carries it if it offers that."""
    carry = request.environ.get(PUSH_STREAMS)
    handed_over = False

    def body() -> Iterator[bytes]:
        nonlocal handed_over
        yield stream_response.FORMS[media].start
        if carry is None:
            yield from stream.pieces()
            return
        handed_over = True
        carry(stream)

    def close() -> None:
        if not handed_over:
            stream.close()

    response = Response(body(), headers=dict(stream_response.HEADERS), content_type=media)
    response.call_on_close(close)
    return response


def joined(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Join frames, some at a time."""
    rest = iter(frames)
    while some := _some(partial(next, rest)):
        yield some


def _some(next_frame: Callable[[], bytes]) -> bytes:
    """Join the next frames, about a piece of them; another thread may take away what is left meanwhile."""
    some: list[bytes] = []
    size = 0
    with suppress(IndexError, StopIteration):
        while size < PIECE:
            some.append(next_frame())
            size += len(some[-1])
    return b"".join(some)
