"""The ``Cache-Status`` (RFC 9211) and ``Age`` (RFC 9111) of a response."""

from __future__ import annotations

from flask import request

from omni_gateway.cache.cache_status import UNCACHED
from omni_gateway.rest.gateway import READING
from omni_gateway.rest.request_context import known_context


def cache_headers() -> dict[str, str]:
    """Return ``Cache-Status``, and for a cache hit ``Age`` (whole seconds).

    A write is never a hit, whatever its checks have read from the cache.
    """
    context = known_context()
    if context is None or request.method not in READING:
        return {"Cache-Status": UNCACHED}
    headers = {"Cache-Status": context.reads.cache_status}
    if context.reads.is_hit:
        headers["Age"] = str(int(context.reads.age))
    return headers
