"""Streaming responses: changes as Server-Sent Events or NDJSON, logs and files as bytes.

A stream that the server's loop does not take over (see :mod:`.push_stream`) occupies a worker's thread, so their number
is bounded below the number of threads. Heartbeats detect clients that have left; a maximum age lets load balancers
rebalance connections. A stream ends when the worker stops, and when its caller's credential is not valid any more.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import orjson
from flask import Request, Response

from omni_gateway.http.concealment import concealed
from omni_gateway.http.guard import credential_checker, known_principal
from omni_gateway.http.metrics import STREAMS
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.http.store_errors import problem_for_store
from omni_gateway.http.unexpected_errors import unexpected_problems
from omni_gateway.omni.errors import Cancelled, OmniError
from omni_gateway.store import StoreRefused, StoreUnavailable
from omni_gateway.watch.stream_feed import Ended, ThreadedSource, close_all

__all__ = [
    "NDJSON",
    "SSE",
    "Form",
    "StreamEvent",
    "StreamLimiter",
    "caller",
    "close_all",
    "credential_ended",
    "last_event",
    "negotiate",
    "resume_point",
    "stream",
    "stream_bytes",
]


SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
HEARTBEAT_SECONDS = 10.0
MAX_AGE_SECONDS = 3600.0
#: How often the caller's credential is checked again, in seconds.
PROVED_SECONDS = 10.0
#: How long the status line waits for the source's first item, in seconds: an error until then becomes a status.
FIRST_WORD_SECONDS = 2.0
RETRY_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event; ``data`` is JSON, ``id`` the resume point.

    ``type`` is ADDED, MODIFIED, DELETED, STEP, BOOKMARK or ERROR.
    """

    type: str
    data: bytes
    id: str | None = None


class StreamLimiter:
    """Bounds the open streams of a worker, in all and per caller."""

    def __init__(self, limit: int, per_caller: int | None = None) -> None:
        self._limit = limit
        self._per_caller = limit if per_caller is None else per_caller
        self._lock = Lock()
        self._open: Counter[str] = Counter()

    @property
    def limit(self) -> int:
        """Return how many streams may be open."""
        return self._limit

    @property
    def open(self) -> int:
        """Return how many streams are open."""
        with self._lock:
            return self._open.total()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a slot; return the function that frees it, which may be called twice.

        Raises a 503 problem when all slots are taken, a 429 when the caller has as many as one caller may.
        """
        with self._lock:
            if self._open.total() >= self._limit:
                raise Problem(503, "too-many-streams", headers={"Retry-After": "5"})
            if self._open[caller] >= self._per_caller:
                raise Problem(429, "too-many-own-streams", headers={"Retry-After": "5"})
            self._open[caller] += 1
        STREAMS.inc()
        freed = [False]

        def free() -> None:
            with self._lock:
                if freed[0]:
                    return
                freed[0] = True
                self._open[caller] -= 1
                self._open += Counter()  # drops callers without streams
            STREAMS.dec()

        return free


def negotiate(request: Request) -> str | None:
    """Return the stream's media type when a request asks for one before JSON; HEAD never opens a stream."""
    if request.method == "HEAD" or request.headers.get("Accept", "*/*") == "*/*":
        return None
    best = request.accept_mimetypes.best_match(["application/json", SSE, NDJSON], "application/json")
    return best if best in (SSE, NDJSON) else None


def resume_point(request: Request) -> str:
    """Return the id after which the request goes on: that of the header, else of the query; empty for none."""
    return request.headers.get("Last-Event-ID") or request.args.get("resume_point", "")


@dataclass(frozen=True, slots=True)
class Form:
    """A media type's event encoding, heartbeat and first bytes."""

    write: Callable[[StreamEvent], bytes]
    beat: bytes
    start: bytes = b""


#: Headers of every event stream; X-Accel-Buffering stops nginx from buffering it.
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def stream(
    open_source: Callable[[], AbstractContextManager[Iterator[StreamEvent]]],
    *,
    media: str,
    limiter: StreamLimiter,
    heartbeat: float = HEARTBEAT_SECONDS,
    max_age: float = MAX_AGE_SECONDS,
) -> Response:
    """Return a response that streams events; what the source raises before its first event is raised here."""
    form = FORMS[media]
    return _respond(
        open_source,
        form.write,
        limiter,
        media,
        HEADERS,
        start=form.start,
        beat=form.beat,
        every=heartbeat,
        max_age=max_age,
    )


def stream_bytes(
    open_source: Callable[[], AbstractContextManager[Iterator[bytes]]],
    *,
    media: str,
    limiter: StreamLimiter,
    headers: Mapping[str, str] | None = None,
    beat: bytes = b"",
) -> Response:
    """Return a response that streams bytes; an error after the first of them aborts the connection.

    ``beat`` is sent while the source is idle: without one, a client that has left an idle stream is not detected.
    """
    head = {"X-Accel-Buffering": "no", **(headers or {})}
    return _respond(open_source, bytes, limiter, media, head, start=b"", beat=beat, every=HEARTBEAT_SECONDS)


def _respond(
    open_source: Callable[[], AbstractContextManager[Iterator[Any]]],
    write: Callable[[Any], bytes],
    limiter: StreamLimiter,
    media: str,
    headers: Mapping[str, str],
    *,
    start: bytes,
    beat: bytes,
    every: float,
    max_age: float = MAX_AGE_SECONDS,
) -> Response:
    free = limiter.take(caller())
    feed: ThreadedSource[Any] | None = None

    def close() -> None:
        try:
            if feed is not None:
                feed.close()
        finally:
            free()

    try:
        feed = ThreadedSource(open_source)
        first = [feed.get(FIRST_WORD_SECONDS)]
    except Ended:
        first = []
    except BaseException:
        close()
        raise
    response = Response(
        _body(feed, first, write, start, beat, every, max_age, credential_checker(), unexpected_problems()),
        headers=dict(headers),
        content_type=media,
    )
    response.call_on_close(close)
    return response


def caller() -> str:
    """Return the caller's id for limits; empty without a principal."""
    principal = known_principal()
    return principal.id if principal else ""


def _body(
    feed: ThreadedSource[Any] | None,
    first: list[Any],
    write: Callable[[Any], bytes],
    start: bytes,
    beat: bytes,
    every: float,
    max_age: float,
    proved: Callable[[], bool],
    unexpected: Callable[[Exception], Problem],
) -> Iterator[bytes]:
    look_again = time.monotonic() + PROVED_SECONDS
    ends = time.monotonic() + max_age
    yield start
    if not first or feed is None:
        return
    item = first[0]
    try:
        while True:
            if item is not None:
                yield write(item)
            elif beat:
                yield beat
            now = time.monotonic()
            if now >= ends:
                return
            if now >= look_again:
                if not proved():
                    raise credential_ended()
                look_again = now + PROVED_SECONDS
            item = feed.get(max(0.0, min(every, ends - now, look_again - now)))
    except (Ended, Cancelled):
        return
    except Exception as error:
        if write is bytes:
            raise  # aborts the connection, so that a client does not take half a file for a whole one
        yield write(last_event(error, unexpected))


def last_event(error: Exception, unexpected: Callable[[Exception], Problem]) -> StreamEvent:
    """Return the ERROR event for an error after the status line; internal details are concealed.

    :param unexpected: returns the problem of an unexpected exception.
    """
    return StreamEvent("ERROR", orjson.dumps(_last_problem(error, unexpected).to_dict()))


def credential_ended() -> Problem:
    """Return the problem that ends a stream whose caller's credential is not valid any more."""
    return Problem(401, "unauthenticated", "What your credential proved has ended or changed.")


def _last_problem(error: Exception, unexpected: Callable[[Exception], Problem]) -> Problem:
    if isinstance(error, Problem):
        return concealed(error)
    if isinstance(error, OmniError):
        return concealed(problem_for(error))
    if isinstance(error, (StoreUnavailable, StoreRefused)):
        return problem_for_store(error)
    return unexpected(error)


def _write_sse(event: StreamEvent) -> bytes:
    head = f"event: {event.type}\n" + (f"id: {event.id}\n" if event.id else "")
    return head.encode() + b"data: " + event.data + b"\n\n"


def _write_ndjson(event: StreamEvent) -> bytes:
    resume = b',"resume_point":"' + event.id.encode() + b'"' if event.id else b""
    return b'{"type":"' + event.type.encode() + b'"' + resume + b',"object":' + event.data + b"}\n"


FORMS = {
    SSE: Form(_write_sse, b": heartbeat\n\n", f"retry: {RETRY_MILLISECONDS}\n\n".encode()),
    NDJSON: Form(_write_ndjson, b'{"type":"HEARTBEAT"}\n'),
}
