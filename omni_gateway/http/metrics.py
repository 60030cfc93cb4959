"""Prometheus metrics: requests, calls to Omni, open streams, audit entries.

Routes are labelled by their rule, never by their URL, so that the number of series is bounded. With several workers
the values are in files of ``PROMETHEUS_MULTIPROC_DIR``, which :mod:`omni_gateway.metrics_directory` sets; without that
variable only this process's values are exposed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import cache

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from omni_gateway import __version__

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_STARTED = "omni_gateway.started"
#: In a request's environ, once it is answered: its route's rule, or ``NO_ROUTE``.
ROUTE = "omni_gateway.route"
NO_ROUTE = "none"

_REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "omni_gateway_requests_total", "Requests answered", ["method", "route", "status"], registry=_REGISTRY
)
REQUEST_SECONDS = Histogram(
    "omni_gateway_request_seconds",
    "Time to an answer's status line",
    ["method", "route"],
    buckets=SECONDS,
    registry=_REGISTRY,
)
CALLS = Counter("omni_gateway_omni_calls_total", "Calls to Omni", ["method", "code"], registry=_REGISTRY)
CALL_SECONDS = Histogram(
    "omni_gateway_omni_call_seconds", "Time of unary calls to Omni", ["method"], buckets=SECONDS, registry=_REGISTRY
)
STREAMS = Gauge(
    "omni_gateway_open_streams", "Watches, logs and files open now", registry=_REGISTRY, multiprocess_mode="livesum"
)
AUDITED = Counter(
    "omni_gateway_audit_entries_total",
    "Audit entries: kept in the store, counted with others, lost to the store; or lines that no file took (to-stderr)",
    ["fate"],
    registry=_REGISTRY,
)
INFO = Gauge(
    "omni_gateway_info", "The version that runs", ["version"], registry=_REGISTRY, multiprocess_mode="mostrecent"
)


#: Cached, for the library's lookup of a series takes as long as counting. Bounded by the routes and statuses.
_requests = cache(REQUESTS.labels)
_request_seconds = cache(REQUEST_SECONDS.labels)


def init_app(app: Flask) -> None:
    """Count every request of an application, refused ones included."""
    INFO.labels(__version__).set(1)

    def start() -> None:
        request.environ[_STARTED] = time.perf_counter()

    def count(response: Response) -> Response:
        method = request.method if request.method in METHODS else "OTHER"
        route = request.environ[ROUTE] = request.url_rule.rule if request.url_rule else NO_ROUTE
        _requests(method, route, response.status_code).inc()
        _request_seconds(method, route).observe(elapsed())
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, start)
    app.after_request(count)


def elapsed() -> float:
    """Return the seconds since the current request began."""
    now = time.perf_counter()
    return now - float(request.environ.get(_STARTED, now))


def count_call(method: str, code: str, seconds: float | None) -> None:
    """Count one call to Omni, and observe its duration; ``seconds`` is None for a stream, which is counted only."""
    CALLS.labels(method, code).inc()
    if seconds is not None:
        CALL_SECONDS.labels(method).observe(seconds)


def exposition(plugins: Iterable[CollectorRegistry] = ()) -> bytes:
    """Return the metrics of all workers in Prometheus' text format; ``plugins``: the registries of plugins."""
    if FOLDER not in os.environ:
        return b"".join(bytes(generate_latest(registry)) for registry in (_REGISTRY, *plugins))
    merged = CollectorRegistry()
    multiprocess.MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
    return bytes(generate_latest(merged))


def worker_ended(pid: int) -> None:
    """Remove a dead worker's gauges (its open streams); called in the master."""
    if FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
