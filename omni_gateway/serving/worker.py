"""gunicorn's threaded worker, with patience: a thread is taken when a request is there, and given back when it is read.

gthread reads requests and writes answers in its threads, so each client that sends a byte a second, or reads none,
holds one of them; and its loop stands still while a client delays a close. Here the loop receives heads and bodies
(bounded in size and in time), performs TLS handshakes, sends what a slow reader leaves, and waits for clients to close.
"""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET
from ssl import SSLWantWriteError
from typing import Any, Literal, cast

from gunicorn import http, sock
from gunicorn.http import wsgi
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from omni_gateway.serving.arrival import Arrival
from omni_gateway.serving.carrying import CUT_OFF, RECEIVE, Application, Carrier
from omni_gateway.serving.outbox import NOT_YET, Outbox
from omni_gateway.serving.refusals import Refused, refusal_for, written

LARGE = 64 * 1024
"""Bytes; requests of which more has come share ``MOST_HELD``, smaller ones always find room."""
MOST_HELD = 64 * 1024 * 1024
MOST_SLOW_READERS = 128
LINGER_SECONDS = 2.0
LOOK_SECONDS = 0.25
#: Bytes of a refused request's first line that the audit looks at.
LONGEST_START_LINE = 2048
SERVER = "omni-gateway"  # no header names the software behind it
Phase = Literal["request", "answer", "stream", "end"]


@dataclass(slots=True)
class Wait:
    """What the loop waits for on a connection, and until when (monotonic seconds)."""

    phase: Phase
    deadline: float


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """One worker process; ``request_seconds`` bound a request's arrival, ``answer_seconds`` its answer's reading."""

    request_seconds = 30.0
    answer_seconds = 60.0
    longest_body = 4 * 1024 * 1024
    #: Called with each refusal and the client's address, in whichever thread refuses.
    note_refusal: Callable[[Refused, str], None] | None = None

    def init_process(self) -> None:
        """Get ready and serve."""
        wsgi.SERVER = SERVER
        self._waits: dict[TConn, Wait] = {}
        self._held: dict[TConn, int] = {}
        self._watched: set[TConn] = set()
        self._next_look = 0.0
        self._tls = sock.ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._carrier = Carrier(self)
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and offer it to carry its streams."""
        super().load_wsgi()
        self.wsgi: Application = self._carrier.offer(self.app.wsgi())

    # What gthread's loop calls:

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do one turn of the loop; streams are sent some of what there is for them."""
        super().wait_for_and_dispatch_events(0 if self._carrier.busy else timeout)
        self._carrier.send_some()

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
        try:
            conn.sock.setblocking(False)
            if self._carrier.carry(conn, future) or self.send_rest(conn, future):
                return
            if len([wait for wait in self._waits.values() if wait.phase == "answer"]) >= MOST_SLOW_READERS:
                self._make_room("answer")
            self.wait(conn, "answer", time.monotonic() + self.answer_seconds)
            self.watch(conn, EVENT_WRITE, partial(self.send_rest, conn, future))
        except OSError:  # the other side is gone, or the thread has closed the connection
            self.drop(conn)

    def murder_pending(self) -> None:
        """Refuse what has not come in time, drop what is not read in time."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        self._carrier.attend(now)
        for conn, wait in list(self._waits.items()):
            if wait.deadline > now:
                continue
            if wait.phase == "request" and _arrival(conn).data:
                self._close(conn, Refused(408, "request-timeout", "The request did not come to its end in time."))
            elif wait.phase == "stream":
                self._carrier.cut_off(conn)
            else:
                self.drop(conn, reset=wait.phase == "answer")

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a stop wait for answers that are being read, not for requests that are still coming."""
        super()._cap_keepalive(deadline)
        self._carrier.stop()
        for wait in self._waits.values():
            if wait.phase == "request":
                wait.deadline = min(wait.deadline, time.monotonic() + STOP_KEEPALIVE_LINGER)

    # What its threads call:

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Serve a request whose bytes are all there; the answer goes into an :class:`Outbox`."""
        if _arrival(conn).continued:
            req._expected_100_continue = False  # the loop has said it
        plain, conn.sock = conn.sock, Outbox(conn.sock, self.answer_seconds)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.info(CUT_OFF, self.answer_seconds)
            _reset_on_close(plain)
            raise StopIteration from None
        finally:
            conn.outbox, conn.sock = conn.sock, plain

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

    def _note(self, refused: Refused, addr: Any) -> None:
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
        conn.parser = http.get_parser(self.cfg, Arrival(self.longest_body), conn.client)
        conn.initialized = True

    def _receive(self, conn: TConn, _: Any = None) -> None:
        """Take what has come (in TLS, the handshake first); a whole request gets a thread."""
        arrival = _arrival(conn)
        try:
            while not arrival.complete():
                piece = conn.sock.recv(RECEIVE)
                if not piece:
                    return self.drop(conn)
                arrival.data += piece
                self._hold(conn, len(arrival.data))
        except Refused as refused:
            return self._close(conn, refused)
        except NOT_YET as error:
            self._say_continue(conn, arrival)
            self.watch(conn, EVENT_WRITE if isinstance(error, SSLWantWriteError) else EVENT_READ, self._receive)
        except OSError:
            return self.drop(conn)
        else:
            self._forget(conn)
            super().enqueue_req(conn)

    def _hold(self, conn: TConn, size: int) -> None:
        if size <= LARGE:
            return
        self._held[conn] = size
        if sum(self._held.values()) > MOST_HELD:
            raise Refused(503, "not-ready", "Too many large requests are coming in at once.")

    def _say_continue(self, conn: TConn, arrival: Arrival) -> None:
        """Ask for the body that waits for it (RFC 9110 §10.1.1)."""
        if arrival.wants_continue:
            arrival.wants_continue, arrival.continued = False, True
            with suppress(OSError):  # it is gone, as the next look will show
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send_rest(self, conn: TConn, future: Any, _: Any = None) -> bool:
        """Send what is left of an answer; whether that was all, and the connection has gone on."""
        outbox = cast("Outbox | None", getattr(conn, "outbox", None))
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

    def _close(self, conn: TConn, refused: Refused | None = None) -> None:
        """Say why, if there is something to say, then close as RFC 9112 §9.6 asks: our side first, theirs awaited."""
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
        self._held.pop(conn, None)
        self._waits.pop(conn, None)
        if conn in self._watched:
            self._watched.remove(conn)
            with suppress(KeyError, ValueError):  # it is closed already
                self.poller.unregister(conn.sock)

    def drop(self, conn: TConn, *, reset: bool = False) -> None:
        """Close a connection without waiting for anything."""
        self._forget(conn)
        self._carrier.forget(conn)
        if reset:
            _reset_on_close(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _reset_on_close(connection: Any) -> None:
    """Let the kernel forget what nobody reads, instead of offering it for minutes after the close."""
    with suppress(OSError):
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


def _arrival(conn: TConn) -> Arrival:
    return cast(Arrival, conn.parser.unreader.sock)
