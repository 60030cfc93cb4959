"""One line in the log for each request, also for those that the server refuses itself, and the end of its span.

Only what is ours is in it: the route, never the URL, which may hold what is secret; ids and names, no texts.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

from omni_gateway import logs, tracing
from omni_gateway.http.guard import principal_of
from omni_gateway.http.metrics import NO_ROUTE, ROUTE
from omni_gateway.http.problems import code_of
from omni_gateway.http.request_deadline import ARRIVED
from omni_gateway.http.request_record import ids_of, omni_calls
from omni_gateway.redaction.credentials import plain, shown
from omni_gateway.server.error_responses import RequestRejected
from omni_gateway.server.response_buffer import ResponseBuffer

log = logging.getLogger(logs.ACCESS)

#: A probe every few seconds would be most of the log: its lines are at DEBUG, unless it fails.
_PROBES = frozenset({"/livez", "/readyz", "/health"})
LONGEST_NAME = 200
LONGEST_ADDRESS = 100
_CACHE_NAME = "omni-gateway; "
#: Of a line; a span has them by itself.
_IDS_OF_SPAN = ("trace_id", "span_id")
_IN_MESSAGE = ("http.request.method", "http.route", "http.response.status_code")


class AccessLogger(logs.GunicornLogger):
    """gunicorn's log, with our line for each request in the place of gunicorn's."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Write the line of an answer; that of a stream which the loop continues is written at the stream's end."""
        super().access(resp, req, environ, request_time)  # where an operator asked gunicorn for its own
        outbox = environ.get("gunicorn.socket")
        if isinstance(outbox, ResponseBuffer) and outbox.stream is not None:
            outbox.at_end = partial(_note_answer, resp, environ, outbox)
        else:
            _note_answer(resp, environ)


def _note_answer(resp: Any, environ: dict[str, Any], outbox: ResponseBuffer | None = None) -> None:
    status = getattr(resp, "status_code", 500)  # an application that failed has set none
    route = environ.get(ROUTE, NO_ROUTE)
    level = logging.DEBUG if route in _PROBES and status < 400 else logging.INFO
    if not (logged := log.isEnabledFor(level)) and not tracing.active():
        return
    seconds = round(time.monotonic() - environ.get(ARRIVED, time.monotonic()), 6)
    fields: dict[str, Any] = {
        **ids_of(environ),
        "http.request.method": tracing.known_method(environ["REQUEST_METHOD"]),
        "http.route": route,
        "http.response.status_code": status,
        "http.response.body.size": resp.sent + (outbox.sent if outbox is not None else 0),
        "client.address": shown(environ.get("REMOTE_ADDR", ""), LONGEST_ADDRESS),
    }
    if (caller := principal_of(environ)) is not None:
        fields["user.id"] = plain(caller.id, LONGEST_NAME)
        fields["user.name"] = plain(caller.name, LONGEST_NAME)
    if code := code_of(environ):
        fields["error.type"] = code
    if calls := omni_calls(environ):
        fields["omni.calls"] = len(calls)
        fields["omni.duration"] = round(sum(calls), 6)
    if (cache := _cache_status(resp)) is not None:
        fields["cache.status"] = cache
    if tracing.active():
        tracing.end_request(environ, {name: fields[name] for name in fields if name not in _IDS_OF_SPAN})
    if logged:
        fields["http.server.request.duration"] = seconds
        _write(level, fields)


def note_refusal(refused: RequestRejected, address: str) -> None:
    """Write the line of a request that the server refused without calling the application."""
    if not log.isEnabledFor(logging.INFO):
        return
    method = refused.start_line.partition(b" ")[0].decode("latin-1")
    fields = {
        "request_id": refused.request_id,
        "http.request.method": tracing.known_method(method),
        "http.route": NO_ROUTE,
        "http.response.status_code": refused.status,
        "client.address": shown(address, LONGEST_ADDRESS),
        "error.type": refused.code,
    }
    if refused.arrived:
        fields["http.server.request.duration"] = round(time.monotonic() - refused.arrived, 6)
    _write(logging.INFO, fields)


def _write(level: int, fields: dict[str, Any]) -> None:
    message = f"{fields['http.request.method']} {fields['http.route']} {fields['http.response.status_code']}"
    # Not by log.log(): to look for the place of the call takes a fifth of the line's time.
    record = logging.LogRecord(log.name, level, __file__, 0, message, (), None)
    record.__dict__.update(logs.with_fields(fields, _IN_MESSAGE))
    log.handle(record)


def _cache_status(resp: Any) -> str | None:
    """Return the part of ``Cache-Status`` after the cache's name: ``hit``, or why the request was forwarded to Omni."""
    for name, value in resp.headers:
        if name == "Cache-Status":
            return str(value).removeprefix(_CACHE_NAME)
    return None
