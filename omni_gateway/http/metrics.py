"""Prometheus metrics that are counted as things happen: requests, calls to Omni, streams, callers, problems.

Routes are labelled by their rule, never by their URL, so that the number of series is bounded. With several workers
the values are in files of ``PROMETHEUS_MULTIPROC_DIR``, which :mod:`omni_gateway.http.metrics_directory` sets; without
that variable only this process's values are exposed. Gauges of a process's present state are set by
:mod:`omni_gateway.http.metric_samples`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import cache

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from omni_gateway import __version__
from omni_gateway.http import metrics_directory
from omni_gateway.http.problems import code_of
from omni_gateway.tracing import METHODS

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_STARTED = "omni_gateway.started"
#: In a request's environ, once it is answered: its route's rule, or ``NO_ROUTE``.
ROUTE = "omni_gateway.route"
NO_ROUTE = "none"

REGISTRY = CollectorRegistry()
REQUESTS = Counter("omni_gateway_requests_total", "Requests answered", ["method", "route", "status"], registry=REGISTRY)
IN_FLIGHT = Gauge(
    "omni_gateway_requests_in_flight",
    "Requests that are being answered now; not the streams that hold no thread",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
WAIT_SECONDS = Histogram(
    "omni_gateway_request_wait_seconds",
    "Time that requests have waited for a thread",
    buckets=SECONDS,
    registry=REGISTRY,
)
PROBLEMS = Counter(
    "omni_gateway_problems_total",
    "Problems answered, by code; those of requests that the server refused before the application included",
    ["code"],
    registry=REGISTRY,
)
CACHE_STATUSES = Counter(
    "omni_gateway_cache_responses_total",
    "Answers with a Cache-Status: hit, or why they were forwarded to Omni",
    ["result", "detail"],
    registry=REGISTRY,
)
AUTHENTICATIONS = Counter(
    "omni_gateway_authentications_total",
    "Requests whose caller was looked up: accepted, by method, or the code of the problem",
    ["method", "outcome"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "omni_gateway_request_seconds",
    "Time to an answer's status line",
    ["method", "route"],
    buckets=SECONDS,
    registry=REGISTRY,
)
CALLS = Counter("omni_gateway_omni_calls_total", "Calls to Omni", ["method", "code"], registry=REGISTRY)
CALL_SECONDS = Histogram(
    "omni_gateway_omni_call_seconds", "Time of unary calls to Omni", ["method"], buckets=SECONDS, registry=REGISTRY
)
STREAMS = Gauge(
    "omni_gateway_open_streams", "Watches, logs and files open now", registry=REGISTRY, multiprocess_mode="livesum"
)
AUDITED = Counter(
    "omni_gateway_audit_entries_total",
    "Audit entries: kept in the store, counted with others, lost to the store; or lines that no file took (to-stderr)",
    ["fate"],
    registry=REGISTRY,
)
INFO = Gauge(
    "omni_gateway_info", "The version that runs", ["version"], registry=REGISTRY, multiprocess_mode="mostrecent"
)


#: Cached, for the library's lookup of a series takes as long as counting. Bounded by the routes, methods and statuses.
_requests = cache(REQUESTS.labels)
_request_seconds = cache(REQUEST_SECONDS.labels)
_authentications = cache(AUTHENTICATIONS.labels)
_calls = cache(CALLS.labels)
_call_seconds = cache(CALL_SECONDS.labels)


def init_app(app: Flask) -> None:
    """Count every request of an application, refused ones included."""
    INFO.labels(__version__).set(1)
    # At zero from the start: of a series that appears with its first count, Prometheus sees no increase.
    for fate in ("kept", "lost", "to-stderr"):
        AUDITED.labels(fate)
    for code in ("overloaded", "too-many-own-requests", "rate-limited", "internal"):
        PROBLEMS.labels(code)

    def start() -> None:
        IN_FLIGHT.inc()
        request.environ[_STARTED] = time.perf_counter()

    def end(_: BaseException | None) -> None:
        # Not called for a request that was refused before `start`, such as one with a malformed URL.
        if _STARTED in request.environ:
            IN_FLIGHT.dec()

    def count(response: Response) -> Response:
        method = request.method if request.method in METHODS else "OTHER"
        route = request.environ[ROUTE] = request.url_rule.rule if request.url_rule else NO_ROUTE
        _requests(method, route, response.status_code).inc()
        _request_seconds(method, route).observe(elapsed())
        if (status := response.headers.get("Cache-Status")) is not None:
            _cache_status(status).inc()
        if response.status_code >= 400 and (code := code_of(request.environ)):
            PROBLEMS.labels(code).inc()
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, start)
    app.after_request(count)
    app.teardown_request(end)


@cache
def _cache_status(text: str) -> Counter:
    """Return the series of a ``Cache-Status``; cached, as there are few of them."""
    _, *parameters = text.split("; ")
    values = dict(part.partition("=")[::2] for part in parameters)
    series: Counter = CACHE_STATUSES.labels(values.get("fwd", "hit"), values.get("detail", ""))
    return series


def count_authentication(method: str, outcome: str) -> None:
    """Count a caller that was looked up: ``accepted``, or the code of the problem, without a method."""
    _authentications(method, outcome).inc()


def count_wait(seconds: float) -> None:
    """Observe how long a request has waited for a thread."""
    WAIT_SECONDS.observe(seconds)


def count_refusal(code: str) -> None:
    """Count a request that the server refused before the application."""
    PROBLEMS.labels(code).inc()


def elapsed() -> float:
    """Return the seconds since the current request began."""
    now = time.perf_counter()
    return now - float(request.environ.get(_STARTED, now))


def count_call(method: str, code: str, seconds: float | None) -> None:
    """Count one call to Omni, and observe its duration; ``seconds`` is None for a stream, which is counted only."""
    _calls(method, code).inc()
    if seconds is not None:
        _call_seconds(method).observe(seconds)


def exposition(plugins: Iterable[CollectorRegistry] = ()) -> bytes:
    """Return the metrics of all workers in Prometheus' text format; ``plugins``: the registries of plugins."""
    if FOLDER not in os.environ:
        return b"".join(bytes(generate_latest(registry)) for registry in (REGISTRY, *plugins))
    merged = CollectorRegistry()
    multiprocess.MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
    with metrics_directory.shared():
        return bytes(generate_latest(merged))


def worker_ended(pid: int) -> None:
    """Remove a dead worker's gauges, and add its counts to those of earlier ones; called in the master."""
    if FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        metrics_directory.merge_ended(pid)
