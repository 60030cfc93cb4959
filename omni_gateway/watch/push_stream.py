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

from omni_gateway.cache.informer_events import too_far_behind
from omni_gateway.http.guard import credential_checker
from omni_gateway.http.unexpected_errors import unexpected_problems
from omni_gateway.watch import stream_response
from omni_gateway.watch.stream_feed import ended_at_a_stop

#: Environ key of the callable that hands a :class:`PushStream` over to the server, under a server that drains them.
PUSH_STREAMS = "omni_gateway.push_streams"
#: Frames that wait for a reader, at most. A slower one is cut off; it reconnects with its resume point.
LONGEST_QUEUE = 20_000
#: Approximate bytes of one write: frames are joined up to it, and one reader does not occupy the loop for longer.
PIECE = 64 * 1024

Look = Callable[[Callable[[], None]], object]


def _no_reader() -> None:
    """Do nothing; the wake-up call before a server or a thread drains the stream."""


class PushStream:
    """A stream's frames, from :meth:`put` in any thread to :meth:`take` in the one that drains it.

    No lock is taken: SIGTERM's handler interrupts the draining thread and calls :meth:`end`, which would deadlock on a
    lock that the interrupted code holds. Operations of ``deque`` and single assignments are atomic; their order makes
    up for the rest.
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
        """``proved`` returns True while the caller's credential is valid, and may block.

        ``closed`` is called once, when the stream is closed. ``heartbeat``, ``max_age``: seconds.
        """
        self._form = form
        self._proved = proved
        self._closed: Callable[[], None] | None = closed
        self._heartbeat = heartbeat
        now = time.monotonic()
        self._beat_at, self._ends = now + heartbeat, now + max_age
        self._look_at = now + stream_response.PROVED_SECONDS
        self._beginning: Iterator[bytes] | None = None
        self._frames: deque[bytes] = deque()
        self._wake = _no_reader
        self._signalled = self._ending = False
        self._last = b""
        self.ended = False

    # -- the producers: any thread

    def begin(self, pieces: Iterable[bytes]) -> None:
        """Send these pieces, none of them empty, before all frames that :meth:`put` has queued or will queue."""
        self._beginning = iter(pieces)

    def put(self, frame: bytes) -> None:
        """Queue a frame; with :data:`LONGEST_QUEUE` frames waiting, end the stream with an error event instead."""
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
        """End the stream with an error event, after the queued frames."""
        self.end_with(self._form.write(stream_response.last_event(error, unexpected_problems())))

    def end(self) -> None:
        """End the stream and drop the queued frames: a stop of the process does not wait for slow readers."""
        self._beginning = None
        self._frames.clear()
        self.end_with(b"")

    def end_with(self, last: bytes) -> None:
        """End the stream with a last frame (may be empty), after the queued ones; later calls do nothing."""
        if not self._ending:
            self._last, self._ending = last, True
            self._signal()

    def _signal(self) -> None:
        # One wake-up call until the next take(): a burst of changes does not queue one for each.
        if not self._signalled:
            self._signalled = True
            self._wake()

    # -- the server's loop, or the thread that drains it

    def woken_by(self, wake: Callable[[], None]) -> None:
        """Set the function that is called, in any thread, when frames become available."""
        self._wake = wake
        # Frames may have been queued before there was a reader.
        if self._frames or self._ending:
            wake()

    def take(self) -> bytes:
        """Return the next bytes to write; empty if there are none at present, or, with ``ended``, none any more."""
        # Before the queue is read: a frame that is put during the read wakes the reader again.
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
        """Send a heartbeat, end at the maximum age, check the caller's credential, as each is due at ``now``.

        ``look`` runs the check, which may block, in another thread if need be.
        """
        if self._ending:
            return
        if now >= self._ends:
            self.end_with(b"")
        elif now >= self._look_at:
            self._look_at = inf  # no second check while one is running
            look(self._look)
        if now >= self._beat_at and not self._frames:
            self.put(self._form.beat)

    def _look(self) -> None:
        if not self._proved():
            self.fail(stream_response.credential_ended())
        self._look_at = time.monotonic() + stream_response.PROVED_SECONDS

    def close(self) -> None:
        """Close the stream and release its resources; safe to call twice, does not block."""
        self._ending = True
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    def pieces(self) -> Iterator[bytes]:
        """Drain the stream in this thread: yield bytes to write, as they become available."""
        available = threading.Event()
        self.woken_by(available.set)
        with ended_at_a_stop(self):
            while not self.ended:
                available.clear()
                while piece := self.take():
                    yield piece
                    self.attend(time.monotonic(), _at_once)
                if not self.ended:
                    now = time.monotonic()
                    available.wait(max(0.0, min(self._beat_at, self._ends, self._look_at) - now))
                    self.attend(time.monotonic(), _at_once)


def _at_once(look: Callable[[], None]) -> None:
    look()


def offered() -> bool:
    """Return True if the server of the request in flight drains push streams."""
    return PUSH_STREAMS in request.environ


def new(media: str, closed: Callable[[], None]) -> PushStream:
    """Return a push stream for the request in flight; ``closed`` is called once, at its end."""
    return PushStream(
        stream_response.FORMS[media],
        proved=credential_checker(),
        closed=closed,
        heartbeat=stream_response.HEARTBEAT_SECONDS,
        max_age=stream_response.MAX_AGE_SECONDS,
    )


def respond(stream: PushStream, media: str) -> Response:
    """Return a streaming response; the server drains the stream if it can, the response's thread otherwise."""
    hand_over = request.environ.get(PUSH_STREAMS)
    handed_over = False

    def body() -> Iterator[bytes]:
        nonlocal handed_over
        yield stream_response.FORMS[media].start
        if hand_over is None:
            yield from stream.pieces()
            return
        handed_over = True
        hand_over(stream)

    def close() -> None:
        # gunicorn closes the response once its thread is done, which is not the end of a stream that was handed over.
        if not handed_over:
            stream.close()

    response = Response(body(), headers=dict(stream_response.HEADERS), content_type=media)
    response.call_on_close(close)
    return response


def joined(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the frames joined into pieces of about :data:`PIECE` bytes."""
    rest = iter(frames)
    while some := _some(partial(next, rest)):
        yield some


def _some(next_frame: Callable[[], bytes]) -> bytes:
    """Return the next frames joined, about :data:`PIECE` bytes.

    ``end`` may clear the queue meanwhile, in another thread, hence the exceptions instead of a check of the length.
    """
    some: list[bytes] = []
    size = 0
    with suppress(IndexError, StopIteration):
        while size < PIECE:
            some.append(next_frame())
            size += len(some[-1])
    return b"".join(some)
