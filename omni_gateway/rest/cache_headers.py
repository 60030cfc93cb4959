"""How fresh an answer is, and how fresh its caller wants it (RFC 9111, RFC 9211)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import has_request_context, request

from omni_gateway.cache.read_record import ReadRecord

_READING = "omni_gateway.reading"
#: What was never looked for in the cache was asked of Omni.
UNCACHED = "omni-gateway; fwd=uri-miss"


def current_read_record() -> ReadRecord:
    """Return the account of how this request's reads were answered; outside of a request, one that nobody looks at."""
    if not has_request_context():
        return ReadRecord()
    reading = request.environ.get(_READING)
    if reading is None:
        reading = request.environ[_READING] = ReadRecord(max_age())
    return cast(ReadRecord, reading)


def without_reading(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a request's environ that has read nothing yet: for a reading that has its own account."""
    return {name: value for name, value in environ.items() if name != _READING}


def max_age() -> float | None:
    """Return the seconds that an answer may be old by the request's ``Cache-Control``; None: as old as the cache is."""
    if "HTTP_CACHE_CONTROL" not in request.environ:
        return None
    said = request.cache_control
    if said.no_cache or said.no_store:
        return 0.0
    return None if said.max_age is None else float(said.max_age)


def cache_headers() -> dict[str, str]:
    """Return ``Cache-Status``, and ``Age`` (whole seconds) where the cache answered."""
    reading = cast("ReadRecord | None", request.environ.get(_READING))
    if reading is None:
        return {"Cache-Status": UNCACHED}
    headers = {"Cache-Status": reading.cache_status}
    if reading.is_hit:
        headers["Age"] = str(int(reading.age))
    return headers
