"""Streams without a thread: the worker's loop sends what the application pushes (``omni_gateway.watch.push_stream``).

The loop writes without blocking, a few connections at a time, so that a change that goes to hundreds of them does not
hold up requests that come in meanwhile. A reader that takes nothing for ``answer_seconds`` is cut off; what waits for
it costs the others nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, Protocol, cast

from gunicorn.workers.gthread import TConn

from omni_gateway.http.admission import ASKED
from omni_gateway.http.request_deadline import ARRIVED
from omni_gateway.server.response_buffer import NOT_YET, ResponseBuffer, Stream
from omni_gateway.watch.push_stream import PUSH_STREAMS

#: Connections that are written to before the loop looks for requests again.
AT_ONCE = 32
#: Pieces of one stream before it is another one's turn.
PIECES = 4
ATTEND_SECONDS = 1.0
#: Bytes that a client may send while it is sent a stream: the next request, at most.
MOST_SENT_AHEAD = 16 * 1024
RECEIVE = 256 * 1024
CUT_OFF = "A stream ends: its reader took nothing for %g seconds"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Worker(Protocol):
    """What the loop that carries the streams offers; all but ``method_queue`` is used in the loop only."""

    alive: bool
    answer_seconds: float
    worker_connections: int
    log: Any
    method_queue: Any

    def wait(self, conn: TConn, phase: Any, deadline: float) -> None:
        """Let a connection wait until ``deadline`` (monotonic)."""

    def watch(self, conn: TConn, events: int, then: Callable[..., Any]) -> None:
        """Have ``then`` called when a connection is ready."""

    def drop(self, conn: TConn, *, reset: bool = False) -> None:
        """Close a connection."""

    def send_rest(self, conn: TConn, request: Any) -> None:
        """Send what is left of an answer, then take the next request."""


@dataclass(slots=True)
class ActiveStream:
    """A stream on its connection: what its request's thread left, and how far the loop has come."""

    stream: Stream
    outbox: ResponseBuffer
    request: Any
    blocked: bool = False
    finished: bool = False


class StreamLoop:
    """The streams that one worker's loop carries; all but :meth:`wake` is called in the loop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._rides: dict[TConn, ActiveStream] = {}
        self._ready: deque[TConn] = deque()
        self._woken = False
        self._next_look = 0.0
        #: Looks at credentials may block; they are not to stand before requests.
        self._lookers = ThreadPoolExecutor(2, thread_name_prefix="stream-look")

    def offer(self, application: Application) -> Application:
        """Return the application, told by each request's environ that streams are carried here.

        Half of the connections are kept for requests: beyond that a stream takes a thread, of which there are few.
        """

        def offered(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            outbox = environ.get("gunicorn.socket")
            if isinstance(outbox, ResponseBuffer):
                environ[ARRIVED] = outbox.arrived
                if outbox.asked:
                    environ[ASKED] = True
                if len(self._rides) < self._worker.worker_connections // 2:
                    environ[PUSH_STREAMS] = outbox.hand_over
            return application(environ, start_response)

        return offered

    def hand_over(self, conn: TConn, request: Any) -> bool:
        """Go on with what ``request`` (its future) has begun, if that is a stream that was handed over."""
        outbox = _outbox(conn)
        if outbox is None or outbox.stream is None:
            return False
        ride = self._rides[conn] = ActiveStream(outbox.stream, outbox, request)
        self._worker.wait(conn, "stream", inf)
        self._worker.watch(conn, EVENT_READ, partial(self._go_on, conn))
        ride.stream.woken_by(partial(self.wake, conn))
        if not self._worker.alive:
            ride.stream.end()
        self.wake(conn)
        return True

    def wake(self, conn: TConn) -> None:
        """Have a connection written to soon: from any thread."""
        self._ready.append(conn)
        if not self._woken:
            self._woken = True
            self._worker.method_queue.defer(_nothing)

    @property
    def busy(self) -> bool:
        """Whether there is something to send right away."""
        return bool(self._ready)

    def send_some(self) -> None:
        """Write to some of those who have something to be sent."""
        self._woken = False
        for _ in range(min(AT_ONCE, len(self._ready))):
            conn = self._ready.popleft()
            ride = self._rides.get(conn)
            if ride is not None:
                self._write(conn, ride)

    def attend(self, now: float) -> None:
        """Let each stream do what is due: beat, look at its caller again, end of old age."""
        if now < self._next_look:
            return
        self._next_look = now + ATTEND_SECONDS
        for conn, ride in list(self._rides.items()):
            try:
                ride.stream.attend(now, self._lookers.submit)
            except Exception:
                self._worker.log.exception("A stream failed")
                self._worker.drop(conn)

    def stop(self) -> None:
        """End all streams, in good order."""
        for ride in list(self._rides.values()):
            ride.stream.end()

    def cut_off(self, conn: TConn) -> None:
        """Close a connection whose reader took nothing for too long."""
        self._worker.log.info(CUT_OFF, self._worker.answer_seconds)
        self._worker.drop(conn, reset=True)

    def forget(self, conn: TConn) -> None:
        """Let the stream of a connection go that is closed."""
        self._rides.pop(conn, None)
        outbox = _outbox(conn)
        if outbox is not None and outbox.stream is not None:
            try:
                outbox.stream.close()
            except Exception:
                self._worker.log.exception("A stream failed at its end")

    def _write(self, conn: TConn, ride: ActiveStream) -> None:
        try:
            then = self._send(ride)
        except OSError:
            then = self._worker.drop
        except Exception:
            self._worker.log.exception("A stream failed")
            then = self._worker.drop
        then(conn)

    def _send(self, ride: ActiveStream) -> Callable[[TConn], None]:
        """Send what is there and can be sent; return what is next for the connection."""
        before = ride.outbox.sent
        for _ in range(PIECES):
            if not ride.outbox.flush():
                return self._wait_on if ride.outbox.sent > before else self._wait_for_reader
            if ride.finished:
                return self._finish
            piece = ride.stream.take()
            if not piece and not ride.stream.ended:
                return self._wait_for_more
            ride.finished = not piece
            ride.outbox.put(piece)
        return self._ready.append

    def _wait_on(self, conn: TConn) -> None:
        """Wait for a reader that has taken something: its time begins anew."""
        self._rides[conn].blocked = False
        self._wait_for_reader(conn)

    def _wait_for_reader(self, conn: TConn) -> None:
        if not self._rides[conn].blocked:
            self._rides[conn].blocked = True
            self._worker.wait(conn, "stream", time.monotonic() + self._worker.answer_seconds)
            self._worker.watch(conn, EVENT_READ | EVENT_WRITE, partial(self._go_on, conn))

    def _wait_for_more(self, conn: TConn) -> None:
        if self._rides[conn].blocked:
            self._rides[conn].blocked = False
            self._worker.wait(conn, "stream", inf)
            self._worker.watch(conn, EVENT_READ, partial(self._go_on, conn))

    def _finish(self, conn: TConn) -> None:
        ride = self._rides[conn]
        self.forget(conn)
        ride.outbox.stream = None
        self._worker.send_rest(conn, ride.request)

    def _go_on(self, conn: TConn, _: Any = None) -> None:
        ride = self._rides.get(conn)
        if ride is not None and ride.blocked:
            self._write(conn, ride)
        if conn in self._rides:
            self._read(conn)

    def _read(self, conn: TConn) -> None:
        """See whether the client has left; keep what it sends ahead for when the stream has ended."""
        ahead = conn.parser.unreader.sock.data
        try:
            while piece := conn.sock.recv(RECEIVE):
                ahead += piece
                if len(ahead) > MOST_SENT_AHEAD:
                    break
        except NOT_YET:
            return
        except OSError:
            pass
        self._worker.drop(conn)


def _nothing() -> None:
    """Do nothing: the loop has woken up."""


def _outbox(conn: TConn) -> ResponseBuffer | None:
    return cast("ResponseBuffer | None", getattr(conn, "outbox", None))
