"""Request ``Cache-Control`` (RFC 9111) and the ``Cache-Status`` and ``Age`` of a response (RFC 9211)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import has_request_context, request

from omni_gateway.cache.read_record import ReadRecord

_READ_RECORD = "omni_gateway.reading"
#: The status of a response that no cache lookup was made for.
UNCACHED = "omni-gateway; fwd=uri-miss"


def current_read_record() -> ReadRecord:
    """Return the record of this request's cache hits and misses; outside of a request, a new one that is discarded."""
    if not has_request_context():
        return ReadRecord()
    record = request.environ.get(_READ_RECORD)
    if record is None:
        record = request.environ[_READ_RECORD] = ReadRecord(max_age())
    return cast(ReadRecord, record)


def without_reading(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a request's environ without its read record, for a read that is recorded separately."""
    return {name: value for name, value in environ.items() if name != _READ_RECORD}


def max_age() -> float | None:
    """Return the largest age, in seconds, that the request's ``Cache-Control`` accepts; None: any age."""
    if "HTTP_CACHE_CONTROL" not in request.environ:
        return None
    directives = request.cache_control
    if directives.no_cache or directives.no_store:
        return 0.0
    return None if directives.max_age is None else float(directives.max_age)


def cache_headers() -> dict[str, str]:
    """Return ``Cache-Status``, and for a cache hit ``Age`` (whole seconds)."""
    record = cast("ReadRecord | None", request.environ.get(_READ_RECORD))
    if record is None:
        return {"Cache-Status": UNCACHED}
    headers = {"Cache-Status": record.cache_status}
    if record.is_hit:
        headers["Age"] = str(int(record.age))
    return headers
