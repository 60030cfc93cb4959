"""gunicorn's threaded worker, with patience: a thread is taken when a request is there, and given back when it is read.

gthread reads requests and writes answers in its threads, so each client that sends a byte a second, or reads none,
holds one of them; and its loop stands still while a client delays a close. Here the loop receives heads and bodies
(bounded in size and in time), performs TLS handshakes, sends what a slow reader leaves, and waits for clients to close.
"""

from __future__ import annotations

import errno
import gc
import io
import re
import select
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET
from ssl import SSLWantWriteError
from typing import Any, Literal, cast

from flask import Flask
from gunicorn import http, sock
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from omni_gateway.http.admission import Admitted
from omni_gateway.malloc import give_back, limit_arenas
from omni_gateway.server.error_responses import RequestRejected, refusal_for, written
from omni_gateway.server.request_buffer import LARGE, RequestBuffer
from omni_gateway.server.request_queue import Bounds, Caller, RequestQueue, Waiting
from omni_gateway.server.response_buffer import NOT_YET, ResponseBuffer
from omni_gateway.server.stream_loop import CUT_OFF, RECEIVE, Application, StreamLoop

"""Large bodies count: those that are there share ``MOST_HELD`` bytes, of one caller ``MOST_HELD_OF_CALLER``, and
those in threads ``MOST_IN_THREADS``, for what a body is parsed into is many times as large. One always finds room."""
MOST_HELD = 64 * 1024 * 1024
MOST_HELD_OF_CALLER = 16 * 1024 * 1024
MOST_IN_THREADS = 8 * 1024 * 1024
#: After the last large body; then freed memory is given back to the system, at most this often.
TRIM_SECONDS, TRIM_INTERVAL_SECONDS = 1.0, 10.0
#: Health is served by a thread of its own, so that it is answered while all others are busy.
HEALTH = ("/livez", "/readyz", "/health")
MOST_HEALTH_WAITING = 64
_HEALTH_LINE = re.compile(rb"(?:GET|HEAD) (?:%s)[ ?]" % "|".join(HEALTH).encode())
MOST_SLOW_READERS = 128
LINGER_SECONDS = 2.0
LOOK_SECONDS = 0.25
#: What a poll tells of a client that has ended its side; where the system cannot tell (macOS), only that it broke.
_LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
#: Bytes of a refused request's first line that the audit looks at.
LONGEST_START_LINE = 2048
SERVER = "omni-gateway"  # no header names the software behind it
Phase = Literal["request", "answer", "stream", "end"]


@dataclass(slots=True)
class Wait:
    """What the loop waits for on a connection, and until when (monotonic seconds)."""

    phase: Phase
    deadline: float


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """One worker process; ``request_seconds`` bound a request's arrival, ``answer_seconds`` its answer's reading."""

    request_seconds = 30.0
    answer_seconds = 60.0
    longest_body = 4 * 1024 * 1024
    #: Seconds after its arrival in which a request has to get a thread; later it would have little time for its work.
    starts_within = 10.0
    threads_per_caller = 0
    most_waiting = 256
    trusted_proxies = 0
    #: Called with each refusal and the client's address, in whichever thread refuses.
    note_refusal: Callable[[RequestRejected, str], None] | None = None

    def init_process(self) -> None:
        """Get ready and serve."""
        limit_arenas()
        wsgi.SERVER = SERVER
        self._waits: dict[TConn, Wait] = {}
        self._held: dict[TConn, tuple[Caller, int]] = {}
        self._queue: RequestQueue[TConn] = RequestQueue(self._bounds())
        self._in_threads: dict[TConn, Waiting[TConn]] = {}
        self._health_threads = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._health_waiting = 0
        self._trim_at: float | None = None
        self._trimmed = 0.0
        self._watched: set[TConn] = set()
        self._next_look = 0.0
        self._tls = sock.ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._stream_loop = StreamLoop(self)
        super().init_process()

    def _bounds(self) -> Bounds:
        threads = self.cfg.threads
        per_caller = self.threads_per_caller or default_threads_per_caller(threads)
        in_threads = max(MOST_IN_THREADS, self.longest_body)
        return Bounds(threads, per_caller, self.most_waiting, max(1, self.most_waiting // 2), in_threads)

    def load_wsgi(self) -> None:
        """Load the application, and offer it to carry its streams."""
        super().load_wsgi()
        application = self.app.wsgi()
        self._asks = isinstance(application, Flask)
        self.wsgi: Application = self._stream_loop.offer(application)

    # What gthread's loop calls:

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do one turn of the loop; streams are sent some of what there is for them."""
        super().wait_for_and_dispatch_events(0 if self._stream_loop.busy else timeout)
        self._stream_loop.send_some()

    def accept(self, listener: Any) -> None:
        """Take a connection; when no file descriptor is left, the one that waited longest gives way."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._make_room("request", "end")

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a request, the first one of a connection or the next."""
        try:
            conn.sock.setblocking(False)
            if conn.parser is None:
                self._open(conn)
        except OSError:
            self.drop(conn)
            return
        _arrival(conn).begin()
        if self.nr_conns >= self.worker_connections:
            self._make_room("request", "end")
        seconds = self.request_seconds if self.alive else STOP_KEEPALIVE_LINGER
        self.wait(conn, "request", time.monotonic() + seconds)
        self._receive(conn)

    def finish_request(self, conn: TConn, future: Any) -> None:
        """Go on after an answer: send its rest, then wait for the next request or close."""
        self._free_thread(conn)
        try:
            conn.sock.setblocking(False)
            if not self._stream_loop.hand_over(conn, future):
                self._send_answer(conn, future)
        except OSError:  # the other side is gone, or the thread has closed the connection
            self.drop(conn)

    def _send_answer(self, conn: TConn, future: Any) -> None:
        """Send what can be sent of an answer; wait for a reader that is slow."""
        if not self.send_rest(conn, future):
            if len([wait for wait in self._waits.values() if wait.phase == "answer"]) >= MOST_SLOW_READERS:
                self._make_room("answer")
            self.wait(conn, "answer", time.monotonic() + self.answer_seconds)
            self.watch(conn, EVENT_WRITE, partial(self.send_rest, conn, future))

    def murder_pending(self) -> None:
        """Refuse what has not come in time, drop what is not read in time."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        self._stream_loop.attend(now)
        self._refuse_late(now)
        self._trim(now)
        for conn, wait in list(self._waits.items()):
            if wait.deadline > now:
                continue
            if wait.phase == "request" and _arrival(conn).data:
                self._close(
                    conn, RequestRejected(408, "request-timeout", "The request did not come to its end in time.")
                )
            elif wait.phase == "stream":
                self._stream_loop.cut_off(conn)
            else:
                self.drop(conn, reset=wait.phase == "answer")

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a stop wait for answers that are being read, not for requests that are still coming."""
        super()._cap_keepalive(deadline)
        self._stream_loop.stop()
        for wait in self._waits.values():
            if wait.phase == "request":
                wait.deadline = min(wait.deadline, time.monotonic() + STOP_KEEPALIVE_LINGER)

    # What its threads call:

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Serve a request whose bytes are all there; the answer goes into an :class:`ResponseBuffer`."""
        arrival = _arrival(conn)
        if arrival.continued:
            req._expected_100_continue = False  # the loop has said it
        if arrival.has_body:
            req.body.reader = io.BytesIO(_read_body(req))
        plain, conn.sock = conn.sock, ResponseBuffer(conn.sock, self.answer_seconds, arrival.arrived)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.info(CUT_OFF, self.answer_seconds)
            _reset_on_close(plain)
            raise StopIteration from None
        finally:
            conn.outbox, conn.sock = conn.sock, plain
            if arrival.has_body:  # nothing of it is left to come, read or not; and it is not needed any more
                req.body.reader, req.body.buf = io.BytesIO(), io.BytesIO()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what cannot be served with a problem document."""
        refused = refusal_for(exc)
        if refused.status == 500:
            self.log.error("A request failed outside of the application", exc_info=exc)
        else:
            self.log.info("Refused a request of %s: %d %s", (addr or ("-",))[0], refused.status, refused.code)
        with suppress(OSError):  # nobody is there to be told
            client.setblocking(False)
            client.send(written(refused))
        self._note(refused, addr)

    def _note(self, refused: RequestRejected, addr: Any) -> None:
        if self.note_refusal is None:
            return
        try:
            self.note_refusal(refused, str(addr[0]) if isinstance(addr, tuple) else "")
        except Exception:  # the loop goes on
            self.log.exception("A refused request could not be audited")

    # The ways of a connection:

    def _open(self, conn: TConn) -> None:
        """Give a new connection a parser that reads what the loop has received."""
        if self._tls is not None:
            conn.sock = self._tls.wrap_socket(conn.sock, server_side=True, do_handshake_on_connect=False)
        conn.parser = http.get_parser(self.cfg, RequestBuffer(self.longest_body), conn.client)
        conn.initialized = True

    def _receive(self, conn: TConn, _: Any = None) -> None:
        """Take what has come (in TLS, the handshake first); a whole request gets a thread, or waits for one."""
        arrival = _arrival(conn)
        try:
            while not arrival.complete():
                if self._asks and arrival.large and not arrival.admitted:
                    return self._ask(conn, arrival)
                piece = conn.sock.recv(RECEIVE)
                if not piece:
                    return self._end_early(conn)
                arrival.data += piece
                self._hold(conn, arrival)
            self._forget(conn)
            self._dispatch(conn, arrival, self.handle)
        except RequestRejected as refused:
            return self._close(conn, refused)
        except NOT_YET as error:
            self._say_continue(conn, arrival)
            self.watch(conn, EVENT_WRITE if isinstance(error, SSLWantWriteError) else EVENT_READ, self._receive)
        except OSError:
            return self.drop(conn)

    def _end_early(self, conn: TConn) -> None:
        """Close a connection whose client has ended its side; one that is in the middle of a request is told so."""
        if not _arrival(conn).data:
            return self.drop(conn)
        return self._close(conn, RequestRejected(400, "bad-request", "The request ended before its end."))

    def _hold(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Count a large body from its arrival to the end of its request; :class:`Refused` where there are too many."""
        size = arrival.body_size
        if size <= LARGE:
            return
        caller = self._caller(conn, arrival)
        self._held[conn] = caller, size
        others = [entry for other, entry in self._held.items() if other is not conn]
        if sum(held for whose, held in others if whose == caller) + size > max(MOST_HELD_OF_CALLER, self.longest_body):
            raise RequestRejected(429, "too-many-own-requests", "Too many large requests of yours are here at once.")
        if sum(held for _, held in others) + size > max(MOST_HELD, self.longest_body):
            raise RequestRejected(503, "overloaded", "Too many large requests are here at once.")

    def _caller(self, conn: TConn, arrival: RequestBuffer) -> Caller:
        """Return whose a request is, as far as the server can tell: its credential, or else its address.

        A credential that nobody has proved yet counts: what it proves is found out in a thread.
        """
        if arrival.authorization:
            return hash(arrival.authorization)
        if self.trusted_proxies and len(arrival.forwarded_for) >= self.trusted_proxies:
            return arrival.forwarded_for[-self.trusted_proxies].decode("latin-1")
        return str(conn.client[0]) if isinstance(conn.client, tuple) else ""

    # From a whole request to a thread:

    def _ask(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Have the application asked whether it takes a large body, before more of it is read."""
        self._forget(conn)
        self._dispatch(conn, arrival, self._admit)

    def _admit(self, conn: TConn) -> bool:
        """Send a head through the application, in a thread; whether it takes the body; else it is answered."""
        request = None
        try:
            request = next(http.get_parser(self.cfg, _Head(_arrival(conn).head), conn.client))
            request._expected_100_continue = False
            request.must_close = True  # what is left unread of the body stands in the way of another request
            plain, conn.sock = (
                conn.sock,
                ResponseBuffer(conn.sock, self.answer_seconds, _arrival(conn).arrived, asked=True),
            )
            try:
                super().handle_request(request, conn)
            finally:
                conn.outbox, conn.sock = conn.sock, plain
        except Admitted:
            return True
        except Exception as error:
            self.handle_error(request, conn.sock, conn.client, error)
        return False

    def _after_asking(self, conn: TConn, future: Any) -> None:
        """Read the body that the application takes, or send the rest of its answer and close."""
        self._free_thread(conn)
        try:
            conn.sock.setblocking(False)
            if future.cancelled() or future.exception() or not future.result():
                self._send_answer(conn, future)
                return
        except OSError:
            self.drop(conn)
            return
        _arrival(conn).admitted = True
        self.wait(conn, "request", time.monotonic() + self.request_seconds)
        self._receive(conn)

    def _dispatch(self, conn: TConn, arrival: RequestBuffer, handler: Callable[[TConn], bool]) -> None:
        """Give a request a thread or a place in the queue; :class:`Refused` where there is neither."""
        now = arrival.arrived = time.monotonic()
        if _HEALTH_LINE.match(arrival.start_line) and not arrival.has_body:
            if self._health_waiting >= MOST_HEALTH_WAITING:
                raise RequestRejected(503, "overloaded", retry_after=1)
            self._health_waiting += 1
            self._submit(self._health_threads, conn, self.handle)
            return
        size = arrival.body_size if arrival.large and handler == self.handle else 0
        request = Waiting(conn, self._caller(conn, arrival), size, now, now + self.starts_within, handler)
        if self._queue.start_at_once(request):
            self._start(request)
        else:
            self._queue.add(request)

    def _start(self, request: Waiting[TConn]) -> None:
        self._in_threads[request.conn] = request
        self._submit(self.tpool, request.conn, request.handler)

    def _submit(self, threads: Executor, conn: TConn, handler: Callable[[TConn], bool]) -> None:
        after = self._after_asking if handler == self._admit else self.finish_request
        threads.submit(handler, conn).add_done_callback(lambda done: self.method_queue.defer(after, conn, done))

    def _free_thread(self, conn: TConn) -> None:
        """Let the next request have the thread that has served this one."""
        request = self._in_threads.pop(conn, None)
        if request is None:
            self._health_waiting -= 1
            return
        if request.handler == self.handle and self._held.pop(conn, None) is not None:
            self._trim_at = max(time.monotonic() + TRIM_SECONDS, self._trimmed + TRIM_INTERVAL_SECONDS)
        self._queue.finished(request)
        while (following := self._queue.next()) is not None:
            # Nobody would get the answer of a request whose client has left, and a write would be done all the same.
            if _left(following.conn):
                self._queue.finished(following)
                self.drop(following.conn)
            else:
                self._start(following)

    def _refuse_late(self, now: float) -> None:
        """Refuse those that have waited too long, while they can be sure that nothing was done; forget who has left."""
        if not len(self._queue):
            return
        left = _those_who_left([request.conn for request in self._queue])
        for request in self._queue:
            if request.conn in left:
                self._queue.remove(request)
                self.drop(request.conn)
            elif request.starts_by <= now:
                self._queue.remove(request)
                self._close(request.conn, RequestRejected(503, "overloaded"))

    def _trim(self, now: float) -> None:
        """Give memory back after large bodies: glibc keeps what they were parsed into, for ever where others follow."""
        if self._trim_at is not None and now >= self._trim_at and not self._held:
            self._trim_at, self._trimmed = None, now
            threading.Thread(target=_collect_and_give_back, name="give-back", daemon=True).start()

    def _say_continue(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Ask for the body that waits for it (RFC 9110 §10.1.1)."""
        if arrival.wants_continue:
            arrival.wants_continue, arrival.continued = False, True
            with suppress(OSError):  # it is gone, as the next look will show
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send_rest(self, conn: TConn, future: Any, _: Any = None) -> bool:
        """Send what is left of an answer; whether that was all, and the connection has gone on."""
        outbox = cast("ResponseBuffer | None", getattr(conn, "outbox", None))
        try:
            if outbox is not None and not outbox.flush():
                return False
        except OSError:
            self.drop(conn)
            return True
        conn.outbox = None
        self._forget(conn)
        if future.cancelled() or future.exception() or not future.result():
            self._close(conn)
        else:
            arrival = _arrival(conn)
            arrival.data[:0] = conn.parser.unreader.take_buffered()
            if arrival.data:
                self.enqueue_req(conn)
            else:
                super().finish_request(conn, future)
        return True

    def _close(self, conn: TConn, refused: RequestRejected | None = None) -> None:
        """Say why, if there is something to say, then close as RFC 9112 §9.6 asks: our side first, theirs awaited."""
        self._held.pop(conn, None)
        if refused is not None:
            refused.start_line = bytes(_arrival(conn).data[:LONGEST_START_LINE]).partition(b"\n")[0]
            self.handle_error(None, conn.sock, conn.client, refused)
        try:
            conn.sock.shutdown(SHUT_WR)
            self.wait(conn, "end", time.monotonic() + LINGER_SECONDS)
            self.watch(conn, EVENT_READ, self._await_end)
        except (OSError, ValueError):
            self.drop(conn)

    def _await_end(self, conn: TConn, _: Any = None) -> None:
        try:
            if not conn.sock.recv(RECEIVE):
                self.drop(conn)
        except NOT_YET:
            return
        except OSError:
            self.drop(conn)

    def _make_room(self, *phases: str) -> None:
        """Drop the connection that has waited longest."""
        oldest = next((conn for conn, wait in self._waits.items() if wait.phase in phases), None)
        if oldest is not None:
            self.drop(oldest)
        elif self.keepalived_conns and "request" in phases:
            self.keepalived_conns[0].timeout = 0.0
            self.murder_keepalived()

    def wait(self, conn: TConn, phase: Phase, deadline: float) -> None:
        """Let a connection wait until ``deadline`` (monotonic)."""
        self._waits[conn] = Wait(phase, deadline)

    def watch(self, conn: TConn, events: int, then: Callable[..., Any]) -> None:
        """Call ``then`` when a connection can be read from, or written to."""
        change = self.poller.modify if conn in self._watched else self.poller.register
        self._watched.add(conn)
        change(conn.sock, events, then if isinstance(then, partial) else partial(then, conn))

    def _forget(self, conn: TConn) -> None:
        """Stop waiting for a connection, which somebody else has now."""
        self._waits.pop(conn, None)
        if conn in self._watched:
            self._watched.remove(conn)
            with suppress(KeyError, ValueError):  # it is closed already
                self.poller.unregister(conn.sock)

    def drop(self, conn: TConn, *, reset: bool = False) -> None:
        """Close a connection without waiting for anything."""
        self._forget(conn)
        self._held.pop(conn, None)
        self._stream_loop.forget(conn)
        if reset:
            _reset_on_close(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _reset_on_close(connection: Any) -> None:
    """Let the kernel forget what nobody reads, instead of offering it for minutes after the close."""
    with suppress(OSError):
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


def default_threads_per_caller(threads: int) -> int:
    """Return three quarters of the threads, so that one caller cannot have all of them; two are nobody's to share."""
    return threads if threads <= 2 else max(2, min(threads - 1, threads * 3 // 4))


def _collect_and_give_back() -> None:
    gc.collect()  # what is left of a refused body is often a cycle of an error and its traceback
    give_back()


class _Head:
    """A request's head as a socket in the parser's eyes; nothing comes after it."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def recv(self, size: int) -> bytes:
        """Return the head, once."""
        head, self._head = self._head, b""
        return head


def _read_body(req: Any) -> bytes:
    """Return the whole body, which has come; :class:`Refused` where it is framed in a way that it must not be."""
    try:
        return cast(bytes, req.body.read())
    except (ParseException, OSError):
        raise RequestRejected(400, "bad-request", "The body is not framed as RFC 9112 has it.") from None


def _left(conn: TConn) -> bool:
    """Whether a client has ended its side, or the connection is broken; nothing is read."""
    return bool(_those_who_left([conn]))


def _those_who_left(connections: list[TConn]) -> set[TConn]:
    by_descriptor = {conn.sock.fileno(): conn for conn in connections}
    by_descriptor.pop(-1, None)
    poll = select.poll()
    for descriptor in by_descriptor:
        poll.register(descriptor, _LEFT)
    return {by_descriptor[descriptor] for descriptor, _ in poll.poll(0)}


def _arrival(conn: TConn) -> RequestBuffer:
    return cast(RequestBuffer, conn.parser.unreader.sock)
