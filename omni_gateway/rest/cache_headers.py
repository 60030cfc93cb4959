"""The ``Cache-Status`` (RFC 9211) and ``Age`` (RFC 9111) of a response."""

from __future__ import annotations

from omni_gateway.rest.request_context import known_context

#: The status of a response that no cache lookup was made for.
UNCACHED = "omni-gateway; fwd=uri-miss"


def cache_headers() -> dict[str, str]:
    """Return ``Cache-Status``, and for a cache hit ``Age`` (whole seconds)."""
    context = known_context()
    if context is None:
        return {"Cache-Status": UNCACHED}
    headers = {"Cache-Status": context.reads.cache_status}
    if context.reads.is_hit:
        headers["Age"] = str(int(context.reads.age))
    return headers
