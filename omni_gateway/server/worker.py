"""A gthread worker that buffers requests and responses in its event loop, so that slow clients occupy no thread.

gthread reads requests and writes responses in its threads: each client that sends one byte a second, or reads nothing,
occupies one, and its loop blocks while a client delays a close. Here the loop receives heads and bodies (bounded in
size and time), performs TLS handshakes, sends the rest of responses to slow readers, and waits for clients to close. A
thread is used from a complete request to the response in memory. All state of the worker belongs to the loop's thread;
threads of the pool hand results back by ``method_queue``, so there are no locks.
"""

from __future__ import annotations

import errno
import gc
import io
import re
import select
import signal
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
from ssl import SSLContext, SSLWantWriteError
from typing import Any, Literal, cast

from flask import Flask
from gunicorn import http, sock
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from omni_gateway.http.admission import Admitted
from omni_gateway.http.drain import DRAIN
from omni_gateway.http.metrics import count_refusal, count_wait
from omni_gateway.malloc import give_back, limit_arenas
from omni_gateway.server import access_log, listening_end
from omni_gateway.server.error_responses import RequestRejected, refusal_for, written
from omni_gateway.server.request_buffer import LARGE, RequestBuffer
from omni_gateway.server.request_queue import Bounds, Caller, RequestQueue, Waiting
from omni_gateway.server.response_buffer import NOT_YET, ResponseBuffer
from omni_gateway.server.stream_loop import CUT_OFF, RECEIVE, Application, StreamLoop

#: Bytes of large bodies: ``MOST_HELD`` are buffered in all, ``MOST_HELD_OF_CALLER`` of one caller; ``MOST_IN_THREADS``
#: are in threads at once, for a parsed body is many times as large. A single body is always admitted.
MOST_HELD = 64 * 1024 * 1024
MOST_HELD_OF_CALLER = 16 * 1024 * 1024
MOST_IN_THREADS = 8 * 1024 * 1024
#: Seconds after the last large body until freed memory is returned to the system, and the least interval of that.
TRIM_SECONDS, TRIM_INTERVAL_SECONDS = 1.0, 10.0
#: Paths that are served by a thread of their own: probes must not fail because all others are busy.
HEALTH = ("/livez", "/readyz", "/health")
MOST_HEALTH_WAITING = 64
_HEALTH_LINE = re.compile(rb"(?:GET|HEAD) (?:%s)[ ?]" % "|".join(HEALTH).encode())
MOST_SLOW_READERS = 128
LINGER_SECONDS = 2.0
LOOK_SECONDS = 0.25
#: Poll events of a client that has closed its side; without POLLRDHUP (macOS) only broken connections are detected.
_LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
#: Bytes of a rejected request's first line that the audit records.
LONGEST_START_LINE = 2048
SERVER = "omni-gateway"  # no header names the software behind it
Phase = Literal["request", "answer", "stream", "end"]


@dataclass(slots=True)
class Wait:
    """The event that the loop waits for on a connection, and until when (monotonic seconds)."""

    phase: Phase
    deadline: float


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """The threads of a worker, those in use, the requests that wait for one, and the open connections."""

    threads: int
    threads_in_use: int
    waiting: int
    connections: int


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """One worker process.

    ``request_seconds`` bounds the arrival of a request, ``answer_seconds`` the time to read its response.
    """

    request_seconds = 30.0
    answer_seconds = 60.0
    longest_body = 4 * 1024 * 1024
    #: Seconds from its arrival until a queued request is rejected: later it would have too little time for its calls.
    starts_within = 10.0
    threads_per_caller = 0
    most_waiting = 256
    trusted_proxies = 0
    sockets: list[Any]
    #: Set by the master before the fork.
    tls: SSLContext | None = None
    #: Called with each rejection and the client's address, in the thread that rejects.
    note_refusal: Callable[[RequestRejected, str], None] | None = None

    def init_process(self) -> None:
        """Create the worker's state after the fork, and serve."""
        limit_arenas()
        wsgi.SERVER = SERVER
        self._waits: dict[TConn, Wait] = {}
        self._buffered: dict[TConn, tuple[Caller, int]] = {}
        self._queue: RequestQueue[TConn] = RequestQueue(self._bounds())
        self._in_threads: dict[TConn, Waiting[TConn]] = {}
        self._health_threads = ThreadPoolExecutor(1, thread_name_prefix="health")
        _start_all(self._health_threads, 1)
        self._health_waiting = 0
        self._trim_at: float | None = None
        self._trimmed = 0.0
        self._watched: set[TConn] = set()
        self._next_look = 0.0
        # Without the hook that loads it, which gunicorn's own configuration may have replaced, it is loaded here.
        self._tls = self.tls or (sock.ssl_context(self.cfg) if self.cfg.is_ssl else None)
        self._stream_loop = StreamLoop(self)
        super().init_process()

    def init_signals(self) -> None:
        """Handle signals; a SIGTERM since the fork is taken now."""
        super().init_signals()
        take_stop()

    @property
    def load(self) -> WorkerLoad:
        """Return how busy the worker is; may be read in any thread."""
        return WorkerLoad(self.cfg.threads, self._queue.threads, len(self._queue), self.nr_conns)

    def _bounds(self) -> Bounds:
        threads = self.cfg.threads
        per_caller = self.threads_per_caller or default_threads_per_caller(threads)
        in_threads = max(MOST_IN_THREADS, self.longest_body)
        return Bounds(threads, per_caller, self.most_waiting, max(1, self.most_waiting // 2), in_threads)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the pool of request threads, all started.

        Otherwise the loop starts them at the first requests, and waits for each of them to run, behind all computing
        threads: up to 30 ms each, in which it does nothing else.
        """
        pool: ThreadPoolExecutor = super().get_thread_pool()
        _start_all(pool, self.cfg.threads)
        return pool

    def load_wsgi(self) -> None:
        """Load the application, wrapped so that it can hand push streams over to the loop."""
        super().load_wsgi()
        application = self.app.wsgi()
        self._asks = isinstance(application, Flask)
        self.wsgi: Application = self._stream_loop.offer(application)

    # Called by gthread's loop:

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Run one iteration of the loop, then send pending frames of streams."""
        super().wait_for_and_dispatch_events(0 if self._stream_loop.busy else timeout)
        self._stream_loop.send_some()

    def accept(self, listener: Any) -> None:
        """Accept a connection; without a free file descriptor, close the connection that has waited longest."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._make_room("request", "end")

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for a connection's first or next request."""
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
        """Continue after a request's thread: send the rest of the response, then wait for the next request or close."""
        self._free_thread(conn)
        try:
            conn.sock.setblocking(False)
            if not self._stream_loop.hand_over(conn, future):
                self._send_answer(conn, future)
        except OSError:  # the client has left, or the thread has closed the connection
            self.drop(conn)

    def _send_answer(self, conn: TConn, future: Any) -> None:
        """Send as much of a response as the socket takes; wait for a slow reader, at most ``answer_seconds``."""
        if not self.send_rest(conn, future):
            if len([wait for wait in self._waits.values() if wait.phase == "answer"]) >= MOST_SLOW_READERS:
                self._make_room("answer")
            self.wait(conn, "answer", time.monotonic() + self.answer_seconds)
            self.watch(conn, EVENT_WRITE, partial(self.send_rest, conn, future))

    def murder_pending(self) -> None:
        """Reject requests that have not arrived in time, drop connections that are not read in time."""
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
        """Shorten the waits for requests at a stop; responses that are being read keep their time."""
        super()._cap_keepalive(deadline)
        self._stop_listening()
        self._stream_loop.stop()
        for wait in self._waits.values():
            if wait.phase == "request":
                wait.deadline = min(wait.deadline, time.monotonic() + STOP_KEEPALIVE_LINGER)

    def _stop_listening(self) -> None:
        """Close the listening sockets at once: until then the kernel accepts connections that nothing would serve."""
        listeners, self.sockets = self.sockets, []
        for listener in listeners:
            if DRAIN.last:
                listening_end.accept_all(listener, self.accept)
            listener.close()

    # Called in the pool's threads:

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Serve a complete request; the response goes into a :class:`ResponseBuffer`."""
        if DRAIN.begun:
            self.max_keepalived = 0  # so the response has Connection: close, and its client connects elsewhere
        arrival = _arrival(conn)
        if arrival.continued:
            req._expected_100_continue = False  # the loop has sent it
        if arrival.has_body:
            req.body.reader = io.BytesIO(_read_body(req))
        plain, conn.sock = conn.sock, ResponseBuffer(conn.sock, self.answer_seconds, arrival.arrived)
        conn.sock.listener = conn.server
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.info(CUT_OFF, self.answer_seconds)
            _reset_on_close(plain)
            raise StopIteration from None
        finally:
            conn.outbox, conn.sock = conn.sock, plain
            if arrival.has_body:  # nothing of it is left on the connection; free the memory
                req.body.reader, req.body.buf = io.BytesIO(), io.BytesIO()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that cannot be served with a problem document; closing is up to the caller."""
        refused = refusal_for(exc)
        if refused.status == 500:
            self.log.error("A request failed outside of the application", exc_info=exc)
        with suppress(OSError):  # the client may have left
            client.setblocking(False)
            client.send(written(refused))
        self._note(refused, addr)

    def _note(self, refused: RequestRejected, addr: Any) -> None:
        address = str(addr[0]) if isinstance(addr, tuple) else ""
        access_log.note_refusal(refused, address)
        count_refusal(refused.code)
        if self.note_refusal is None:
            return
        try:
            self.note_refusal(refused, address)
        except Exception:  # a failing audit must not end the loop
            self.log.exception("A refused request could not be audited")

    # Receiving a request:

    def _open(self, conn: TConn) -> None:
        """Give a new connection a parser that reads from the buffer instead of the socket."""
        if self._tls is not None:
            conn.sock = self._tls.wrap_socket(conn.sock, server_side=True, do_handshake_on_connect=False)
        conn.parser = http.get_parser(self.cfg, RequestBuffer(self.longest_body), conn.client)
        conn.initialized = True

    def _receive(self, conn: TConn, _: Any = None) -> None:
        """Receive available bytes (TLS handshake included); dispatch the request once it is complete."""
        arrival = _arrival(conn)
        try:
            while not arrival.complete():
                # Before more than LARGE bytes are buffered: a caller without a role must not fill the memory.
                if self._asks and arrival.large and not arrival.admitted:
                    return self._ask(conn, arrival)
                piece = conn.sock.recv(RECEIVE)
                if not piece:
                    return self._end_early(conn)
                arrival.data += piece
                self._hold(conn, arrival)
            # Unregistered first: the loop must not touch a socket that a thread uses.
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
        """Close a connection whose client has closed its side; answer 400 if a request was incomplete."""
        if not _arrival(conn).data:
            return self.drop(conn)
        return self._close(conn, RequestRejected(400, "bad-request", "The request ended before its end."))

    def _hold(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Count a large body until its request ends; raises :class:`RequestRejected` (429, 503) beyond the bounds."""
        size = arrival.body_size
        if size <= LARGE:
            return
        caller = self._caller(conn, arrival)
        self._buffered[conn] = caller, size
        others = [entry for other, entry in self._buffered.items() if other is not conn]
        if sum(buffered for owner, buffered in others if owner == caller) + size > max(
            MOST_HELD_OF_CALLER, self.longest_body
        ):
            raise RequestRejected(429, "too-many-own-requests", "Too many large requests of yours are here at once.")
        if sum(buffered for _, buffered in others) + size > max(MOST_HELD, self.longest_body):
            raise RequestRejected(503, "overloaded", "Too many large requests are here at once.")

    def _caller(self, conn: TConn, arrival: RequestBuffer) -> Caller:
        """Return a key for the fairness between callers: the credential's hash, or else the address.

        The credential is not verified here: that may block, so it is done in a thread.
        """
        if arrival.authorization:
            return hash(arrival.authorization)
        if self.trusted_proxies and len(arrival.forwarded_for) >= self.trusted_proxies:
            return arrival.forwarded_for[-self.trusted_proxies].decode("latin-1")
        return str(conn.client[0]) if isinstance(conn.client, tuple) else ""

    # Dispatching a request to a thread:

    def _ask(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Ask the application, in a thread, whether it accepts a large body, before more of it is received."""
        self._forget(conn)
        self._dispatch(conn, arrival, self._admit)

    def _admit(self, conn: TConn) -> bool:
        """Run the application with the head only, in a thread; return True if it accepts the body.

        Otherwise the response has been written.
        """
        request = None
        try:
            request = next(http.get_parser(self.cfg, _Head(_arrival(conn).head), conn.client))
            request._expected_100_continue = False
            request.must_close = True  # the unread rest of the body precedes any further request
            plain, conn.sock = (
                conn.sock,
                ResponseBuffer(conn.sock, self.answer_seconds, _arrival(conn).arrived, asked=True),
            )
            conn.sock.listener = conn.server
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
        """Receive the body that the application accepts, or send the rest of its response and close."""
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
        """Give a request a thread or a place in the queue; raises :class:`RequestRejected` if there is neither."""
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
        count_wait(time.monotonic() - request.arrived)
        self._in_threads[request.conn] = request
        self._submit(self.tpool, request.conn, request.handler)

    def _submit(self, threads: Executor, conn: TConn, handler: Callable[[TConn], bool]) -> None:
        after = self._after_asking if handler == self._admit else self.finish_request
        # The callback runs in the thread; the loop continues the connection.
        threads.submit(handler, conn).add_done_callback(lambda done: self.method_queue.defer(after, conn, done))

    def _free_thread(self, conn: TConn) -> None:
        """Release the thread of a finished request and start queued ones."""
        request = self._in_threads.pop(conn, None)
        if request is None:
            self._health_waiting -= 1
            return
        if request.handler == self.handle and self._buffered.pop(conn, None) is not None:
            self._trim_at = max(time.monotonic() + TRIM_SECONDS, self._trimmed + TRIM_INTERVAL_SECONDS)
        self._queue.finished(request)
        while (following := self._queue.next()) is not None:
            # The client of a queued request may have left: it would not get the response, but a write would be applied.
            if _left(following.conn):
                self._queue.finished(following)
                self.drop(following.conn)
            else:
                self._start(following)

    def _refuse_late(self, now: float) -> None:
        """Reject requests that were queued too long (nothing was done for them); drop those whose client has left."""
        if not len(self._queue):
            return
        left = _disconnected([request.conn for request in self._queue])
        for request in self._queue:
            if request.conn in left:
                self._queue.remove(request)
                self.drop(request.conn)
            elif request.starts_by <= now:
                self._queue.remove(request)
                self._close(request.conn, RequestRejected(503, "overloaded"))

    def _trim(self, now: float) -> None:
        """Return memory to the system after large bodies; glibc would retain the freed blocks of their parsing."""
        if self._trim_at is not None and now >= self._trim_at and not self._buffered:
            self._trim_at, self._trimmed = None, now
            threading.Thread(target=_collect_and_give_back, name="give-back", daemon=True).start()

    def _say_continue(self, conn: TConn, arrival: RequestBuffer) -> None:
        """Send 100 Continue to a client that waits for it before its body (RFC 9110 §10.1.1)."""
        if arrival.wants_continue:
            arrival.wants_continue, arrival.continued = False, True
            with suppress(OSError):  # the client has left; the next recv() shows it
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send_rest(self, conn: TConn, future: Any, _: Any = None) -> bool:
        """Send the rest of a response; return True once all is sent, and the connection was continued or closed."""
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
            # Pipelined bytes that the parser has taken belong to the next request, before those received since.
            arrival.data[:0] = conn.parser.unreader.take_buffered()
            if arrival.data:
                self.enqueue_req(conn)
            else:
                super().finish_request(conn, future)
        return True

    def _close(self, conn: TConn, refused: RequestRejected | None = None) -> None:
        """Send the rejection, if any, then close in the order of RFC 9112 §9.6: our side first, then await theirs.

        Closing at once would make the kernel reset the connection, and the client could lose the response.
        """
        self._buffered.pop(conn, None)
        if refused is not None:
            refused.start_line = bytes(_arrival(conn).data[:LONGEST_START_LINE]).partition(b"\n")[0]
            refused.arrived = _arrival(conn).arrived
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
        """Drop the connection that has waited longest in ``phases``, or an idle one."""
        oldest = next((conn for conn, wait in self._waits.items() if wait.phase in phases), None)
        if oldest is not None:
            self.drop(oldest)
        elif self.keepalived_conns and "request" in phases:
            self.keepalived_conns[0].timeout = 0.0
            self.murder_keepalived()

    def wait(self, conn: TConn, phase: Phase, deadline: float) -> None:
        """Set the event that a connection waits for, until ``deadline`` (monotonic seconds)."""
        self._waits[conn] = Wait(phase, deadline)

    def watch(self, conn: TConn, events: int, then: Callable[..., Any]) -> None:
        """Call ``then`` when a connection is readable or writable, as ``events`` says."""
        change = self.poller.modify if conn in self._watched else self.poller.register
        self._watched.add(conn)
        change(conn.sock, events, then if isinstance(then, partial) else partial(then, conn))

    def _forget(self, conn: TConn) -> None:
        """Stop waiting for a connection; called before a thread takes it over, and at its end."""
        self._waits.pop(conn, None)
        if conn in self._watched:
            self._watched.remove(conn)
            with suppress(KeyError, ValueError):  # it is closed already
                self.poller.unregister(conn.sock)

    def drop(self, conn: TConn, *, reset: bool = False) -> None:
        """Close a connection at once; ``reset`` discards bytes that the kernel has not sent yet."""
        self._forget(conn)
        self._buffered.pop(conn, None)
        self._stream_loop.forget(conn)
        if reset:
            _reset_on_close(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _reset_on_close(connection: Any) -> None:
    """Make close() send RST: the kernel would retain unread data of a stalled client for minutes otherwise."""
    with suppress(OSError):
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


def take_stop() -> None:
    """Unblock SIGTERM, which is blocked over the fork of a worker."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def default_threads_per_caller(threads: int) -> int:
    """Return three quarters of the threads, so that one caller cannot occupy all; all if there are at most two."""
    return threads if threads <= 2 else max(2, min(threads - 1, threads * 3 // 4))


def _collect_and_give_back() -> None:
    gc.collect()  # a rejected body often stays in a cycle of an exception and its traceback
    give_back()


def _start_all(pool: ThreadPoolExecutor, threads: int) -> None:
    """Start all threads of a pool: each call waits until all run, so no thread takes two of them."""
    started = threading.Barrier(threads + 1)
    for _ in range(threads):
        pool.submit(started.wait)
    started.wait()


class _Head:
    """A request's head with the interface of a socket; then it is at its end."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def recv(self, size: int) -> bytes:
        """Return the head at the first call, then nothing."""
        head, self._head = self._head, b""
        return head


def _read_body(req: Any) -> bytes:
    """Return the buffered body; raises :class:`RequestRejected` (400) if its framing is invalid."""
    try:
        return cast(bytes, req.body.read())
    except (ParseException, OSError):
        raise RequestRejected(400, "bad-request", "The body is not framed as RFC 9112 has it.") from None


def _left(conn: TConn) -> bool:
    """Return True if a client has closed its side or the connection is broken; reads nothing."""
    return bool(_disconnected([conn]))


def _disconnected(connections: list[TConn]) -> set[TConn]:
    by_descriptor = {conn.sock.fileno(): conn for conn in connections}
    by_descriptor.pop(-1, None)
    poll = select.poll()
    for descriptor in by_descriptor:
        poll.register(descriptor, _LEFT)
    return {by_descriptor[descriptor] for descriptor, _ in poll.poll(0)}


def _arrival(conn: TConn) -> RequestBuffer:
    return cast(RequestBuffer, conn.parser.unreader.sock)
