"""The context of one request: its caller, and the record of its reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import has_request_context, request

from omni_gateway.auth import Principal
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.http.guard import current_principal

_CONTEXT = "omni_gateway.context"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Made once per request, when a view first needs it.

    ``principal``: the caller. ``reads``: how old the data may be by the request's ``Cache-Control``, and what the
    request's reads depended on.
    """

    principal: Principal
    reads: ReadRecord


def request_context() -> RequestContext:
    """Return the context of the current request; raises a 401 problem without a valid credential.

    It is stored in the request's environ and not in ``g``, which requests inside one application context share.
    """
    context = request.environ.get(_CONTEXT)
    if context is None:
        context = request.environ[_CONTEXT] = RequestContext(current_principal(), ReadRecord(_max_age()))
    return cast(RequestContext, context)


def known_context() -> RequestContext | None:
    """Return the context of the current request if it has been made already, else None."""
    return cast("RequestContext | None", request.environ.get(_CONTEXT))


def current_reads() -> ReadRecord:
    """Return the record of the current request's reads; outside of a request, a new one that is discarded."""
    if not has_request_context():
        return ReadRecord()
    return request_context().reads


def without_context(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a request's environ without its context, for reads that are recorded separately."""
    return {name: value for name, value in environ.items() if name != _CONTEXT}


def _max_age() -> float | None:
    """Return the largest age, in seconds, that the request's ``Cache-Control`` accepts; None: any age."""
    if "HTTP_CACHE_CONTROL" not in request.environ:
        return None
    directives = request.cache_control
    if directives.no_cache or directives.no_store:
        return 0.0
    return None if directives.max_age is None else float(directives.max_age)
