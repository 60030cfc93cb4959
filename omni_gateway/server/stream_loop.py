"""Streams without threads: the worker's event loop drains push streams (``omni_gateway.watch.push_stream``).

The loop writes without blocking, to a few connections per iteration, so that a change for hundreds of them does not
delay incoming requests. A reader that takes nothing for ``answer_seconds`` is cut off; its queued frames are shared
bytes and do not delay other streams.
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

#: Connections that are written to in one iteration of the loop, before it looks for requests again.
AT_ONCE = 32
#: Pieces of one stream per turn, so that one with a long backlog does not delay the others.
PIECES = 4
ATTEND_SECONDS = 1.0
#: Bytes that a client may send during a stream (a pipelined request); more closes the connection.
MOST_SENT_AHEAD = 16 * 1024
RECEIVE = 256 * 1024
CUT_OFF = "A stream ends: its reader took nothing for %g seconds"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Worker(Protocol):
    """The worker as seen by :class:`StreamLoop`; all but ``method_queue`` is used in the loop's thread only."""

    alive: bool
    answer_seconds: float
    worker_connections: int
    log: Any
    method_queue: Any

    def wait(self, conn: TConn, phase: Any, deadline: float) -> None:
        """Set the event that a connection waits for, until ``deadline`` (monotonic seconds)."""

    def watch(self, conn: TConn, events: int, then: Callable[..., Any]) -> None:
        """Call ``then`` when a connection is ready for ``events``."""

    def drop(self, conn: TConn, *, reset: bool = False) -> None:
        """Close a connection."""

    def send_rest(self, conn: TConn, request: Any) -> None:
        """Send the rest of a response, then wait for the next request."""


@dataclass(slots=True)
class ActiveStream:
    """A stream of a connection: its buffer, its request's future, and its state in the loop.

    ``blocked``: the socket takes nothing at present. ``finished``: the end is buffered.
    """

    stream: Stream
    outbox: ResponseBuffer
    request: Any
    blocked: bool = False
    finished: bool = False


class StreamLoop:
    """The push streams of one worker; all methods but :meth:`wake` are called in the loop's thread."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._active: dict[TConn, ActiveStream] = {}
        self._ready: deque[TConn] = deque()
        self._woken = False
        self._next_look = 0.0
        #: Checks of credentials may block (store, issuer), so they run in threads of their own.
        self._lookers = ThreadPoolExecutor(2, thread_name_prefix="stream-look")

    def offer(self, application: Application) -> Application:
        """Wrap the application: each request's environ gets the callable that hands a stream over.

        Not beyond half of the connections, which are reserved for requests; further streams occupy a thread, and are
        bounded by the number of these.
        """

        def offered(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            outbox = environ.get("gunicorn.socket")
            if isinstance(outbox, ResponseBuffer):
                environ[ARRIVED] = outbox.arrived
                if outbox.asked:
                    environ[ASKED] = True
                if len(self._active) < self._worker.worker_connections // 2:
                    environ[PUSH_STREAMS] = outbox.hand_over
            return application(environ, start_response)

        return offered

    def hand_over(self, conn: TConn, request: Any) -> bool:
        """Continue the response of ``request`` (its future) if a stream was handed over; return False otherwise."""
        outbox = _outbox(conn)
        if outbox is None or outbox.stream is None:
            return False
        active = self._active[conn] = ActiveStream(outbox.stream, outbox, request)
        self._worker.wait(conn, "stream", inf)
        self._worker.watch(conn, EVENT_READ, partial(self._go_on, conn))
        active.stream.woken_by(partial(self.wake, conn))
        # A stop may have come between the response's head and here, and stop() has not seen this stream.
        if not self._worker.alive:
            active.stream.end()
        self.wake(conn)
        return True

    def wake(self, conn: TConn) -> None:
        """Schedule a write to a connection; safe from any thread."""
        # Queued before the flag is read, and send_some() clears the flag before it reads the queue: no wake-up is lost.
        self._ready.append(conn)
        if not self._woken:
            self._woken = True
            self._worker.method_queue.defer(_nothing)

    @property
    def busy(self) -> bool:
        """True if there are connections to write to: the loop must not wait then."""
        return bool(self._ready)

    def send_some(self) -> None:
        """Write to up to :data:`AT_ONCE` ready connections."""
        self._woken = False
        for _ in range(min(AT_ONCE, len(self._ready))):
            conn = self._ready.popleft()
            active = self._active.get(conn)
            if active is not None:
                self._write(conn, active)

    def attend(self, now: float) -> None:
        """Run due timers of each stream: heartbeat, check of the credential, maximum age."""
        if now < self._next_look:
            return
        self._next_look = now + ATTEND_SECONDS
        for conn, active in list(self._active.items()):
            try:
                active.stream.attend(now, self._lookers.submit)
            except Exception:
                self._worker.log.exception("A stream failed")
                self._worker.drop(conn)

    def stop(self) -> None:
        """End all streams, in good order."""
        for active in list(self._active.values()):
            active.stream.end()

    def cut_off(self, conn: TConn) -> None:
        """Close a connection whose reader took nothing for too long."""
        self._worker.log.info(CUT_OFF, self._worker.answer_seconds)
        self._worker.drop(conn, reset=True)

    def forget(self, conn: TConn) -> None:
        """Close the stream of a connection; called when the connection is closed or its stream has ended."""
        self._active.pop(conn, None)
        outbox = _outbox(conn)
        if outbox is not None and outbox.stream is not None:
            try:
                outbox.stream.close()
                outbox.at_end()
            except Exception:
                self._worker.log.exception("A stream failed at its end")

    def _write(self, conn: TConn, active: ActiveStream) -> None:
        try:
            then = self._send(active)
        except OSError:
            then = self._worker.drop
        except Exception:
            self._worker.log.exception("A stream failed")
            then = self._worker.drop
        then(conn)

    def _send(self, active: ActiveStream) -> Callable[[TConn], None]:
        """Send available frames as far as the socket takes them; return the connection's next step."""
        before = active.outbox.sent
        for _ in range(PIECES):
            if not active.outbox.flush():
                return self._wait_on if active.outbox.sent > before else self._wait_for_reader
            if active.finished:
                return self._finish
            piece = active.stream.take()
            if not piece and not active.stream.ended:
                return self._wait_for_more
            active.finished = not piece
            active.outbox.put(piece)
        return self._ready.append

    def _wait_on(self, conn: TConn) -> None:
        """Wait for a slow reader that has taken some bytes: its deadline starts again."""
        self._active[conn].blocked = False
        self._wait_for_reader(conn)

    def _wait_for_reader(self, conn: TConn) -> None:
        if not self._active[conn].blocked:
            self._active[conn].blocked = True
            self._worker.wait(conn, "stream", time.monotonic() + self._worker.answer_seconds)
            self._worker.watch(conn, EVENT_READ | EVENT_WRITE, partial(self._go_on, conn))

    def _wait_for_more(self, conn: TConn) -> None:
        if self._active[conn].blocked:
            self._active[conn].blocked = False
            self._worker.wait(conn, "stream", inf)
            self._worker.watch(conn, EVENT_READ, partial(self._go_on, conn))

    def _finish(self, conn: TConn) -> None:
        active = self._active[conn]
        self.forget(conn)
        active.outbox.stream = None
        self._worker.send_rest(conn, active.request)

    def _go_on(self, conn: TConn, _: Any = None) -> None:
        active = self._active.get(conn)
        if active is not None and active.blocked:
            self._write(conn, active)
        if conn in self._active:
            self._read(conn)

    def _read(self, conn: TConn) -> None:
        """Detect a client that has left; buffer pipelined bytes for the next request."""
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
    """Do nothing; deferring it wakes the loop."""


def _outbox(conn: TConn) -> ResponseBuffer | None:
    return cast("ResponseBuffer | None", getattr(conn, "outbox", None))
