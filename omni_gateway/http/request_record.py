"""A record of one request for its log lines: its ids, and its calls to Omni."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from flask import Flask

from omni_gateway import logs, tracing
from omni_gateway.http import metrics
from omni_gateway.http.request_id import request_id_of

#: In a request's environ: the seconds of each of its calls to Omni; 0 for a stream that was opened.
_CALLS = "omni_gateway.omni_calls"
_IDS = "omni_gateway.ids"
_calls: ContextVar[list[float] | None] = ContextVar("omni_calls", default=None)


def init_app(app: Flask) -> None:
    """Record each request's calls to Omni; all that is logged during it has its ids."""
    application = app.wsgi_app

    def recorded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        calls: list[float] = []
        environ[_CALLS] = calls
        calls_token = _calls.set(calls)
        fields_token = logs.context_fields.set(ids_of(environ))
        try:
            return application(environ, start_response)
        finally:
            logs.context_fields.reset(fields_token)
            _calls.reset(calls_token)

    app.wsgi_app = recorded  # type: ignore[method-assign]


def ids_of(environ: dict[str, Any]) -> dict[str, str]:
    """Return the ids of a request: its own, and those of its trace and span if it has any."""
    ids: dict[str, str] | None = environ.get(_IDS)
    if ids is not None:
        return ids
    ids = environ[_IDS] = {"request_id": request_id_of(environ)}
    if trace := tracing.trace_id(environ):
        ids["trace_id"] = trace
        if span := tracing.span_id(environ):
            ids["span_id"] = span
    return ids


def count_call(method: str, code: str, seconds: float | None) -> None:
    """Count one call to Omni, in the metrics and for the request that makes it; None: a stream was opened."""
    metrics.count_call(method, code, seconds)
    calls = _calls.get()
    if calls is not None:
        calls.append(seconds or 0.0)  # atomic: a request's calls may be in several threads


def omni_calls(environ: dict[str, Any]) -> list[float]:
    """Return the seconds of each call to Omni that a request has made."""
    calls: list[float] = environ.get(_CALLS, [])
    return calls
