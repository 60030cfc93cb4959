"""Rate limits: flask-limiter, keyed by the authenticated caller, with ``RateLimit`` headers and a problem.

Without valid credentials, and on open routes, requests are counted by address. URLs without a route are counted as
well. Health and ``/metrics`` are exempt: a flooded gateway must not fail its probes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem

from omni_gateway.http import rate_storage, route_access
from omni_gateway.http.admission import ASKED
from omni_gateway.http.guard import current_principal, remote_network
from omni_gateway.http.internal_requests import INTERNAL
from omni_gateway.http.problems import Problem

UNLIMITED = frozenset({"health.livez", "health.readyz", "health.health", "metrics.get_metrics"})
REDIS_SECONDS = 0.5
_KEY = "omni_gateway.rate_key"


def init_app(app: Flask, limits: Sequence[RateLimitItem], redis_url: str) -> None:
    """Limit every route of an application; without limits, nothing is installed.

    Requests are counted in each worker's memory, or in Redis for all workers. When Redis fails or hangs, workers count
    in memory and log a warning; a thread tries Redis again after 1, 2, 4 … seconds.
    """
    if not limits:
        return
    limiter = Limiter(
        key_func=lambda: str(request.environ[_KEY]),
        application_limits=[";".join(f"{item.amount}/{item.multiples} {item.GRANULARITY.name}" for item in limits)],
        storage_uri=f"{rate_storage.PREFIX}{redis_url}" if redis_url else "memory://",
        storage_options=_redis_options() if redis_url else {},
        key_prefix="omni-gateway",
        # One name for all requests: the library skips requests without a route, and those named `static`.
        request_identifier=lambda: "request",
    )
    # A dry run before the body is read (see `admission`) is not counted: the request comes again with its body. Nor is
    # a request of the gateway's own: the caller's was counted.
    uncounted = (ASKED, INTERNAL)
    limiter.request_filter(lambda: request.endpoint in UNLIMITED or any(mark in request.environ for mark in uncounted))

    def find_key() -> None:
        """Determine the key before the limiter runs: the limiter takes an error in its key function for a storage's."""
        if request.endpoint not in UNLIMITED:
            request.environ[_KEY] = _key()

    def add_headers(response: Response) -> Response:
        """Add the fields of draft-ietf-httpapi-ratelimit-headers-10; times are seconds from now."""
        if (current := limiter.current_limit) is None:
            return response
        window = current.limit.get_expiry()
        seconds = min(window, max(1, math.ceil(current.reset_at - time.time())))  # the library rounds up once more
        response.headers["RateLimit-Policy"] = f'"caller";q={current.limit.amount};w={window}'
        response.headers["RateLimit"] = f'"caller";r={max(0, current.remaining)};t={seconds}'
        if current.breached:
            response.headers["Retry-After"] = str(seconds)
        return response

    app.before_request(find_key)
    limiter.init_app(app)
    app.after_request(add_headers)
    app.register_error_handler(RateLimitExceeded, _refused)


def _redis_options() -> dict[str, Any]:
    """Return the Redis client's timeouts, without its own retries: these wait for seconds in between."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    bounds = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
    return {**bounds, "retry": Retry(NoBackoff(), 0)}


def _key() -> str:
    if not route_access.is_public():
        try:
            principal = current_principal()
        except Problem:
            return f"address:{remote_network()}"  # the view will raise it again
        if principal.method != "off":
            return f"caller:{principal.id}"
    return f"address:{remote_network()}"


def _refused(error: RateLimitExceeded) -> Response:
    limit = error.limit.limit if error.limit else "the limit"
    return Problem(429, "rate-limited", f"More requests than {limit}.").response()
