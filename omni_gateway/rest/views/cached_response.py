"""A decorator that answers reads from the response cache (:mod:`omni_gateway.rest.response_cache`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request

from omni_gateway.auth import Principal
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.http.headers import FinishedResponse, settled
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.request_context import request_context
from omni_gateway.rest.response_cache import CachedResponse, Key

#: Headers that are made anew for each response, and those of a body.
_NOT_STORED = {"Age", "Content-Length", "Content-Type"}


def use_response_cache(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a read view that responds from the response cache where possible.

    Called only after the caller has been authenticated and its role checked: the key contains both.
    """

    @wraps(view)
    def read(*args: Any, **kwargs: Any) -> Any:
        context = request_context()
        key = _key(context.principal)
        if key is None:
            return view(*args, **kwargs)
        responses = current_gateway().responses
        reply = responses.get(key, context.reads.max_age, request.environ.get("HTTP_IF_NONE_MATCH"))
        if reply is not None:
            return FinishedResponse(reply.status, reply.headers, reply.body)
        response = view(*args, **kwargs)
        finished = _cacheable(response, context.reads)
        if finished is not None:
            responses.put(key, finished)
        return response

    return read


def _key(caller: Principal) -> Key | None:
    """Return the cache key of the current request; None if its response must not be cached.

    Callers with an Omni identity of their own, and callers restricted to some clusters, get responses that depend on
    more than the key.
    """
    if caller.omni is not None or caller.scope.restricted:
        return None
    environ = request.environ
    url = (environ["PATH_INFO"], environ["QUERY_STRING"])
    return (*url, environ.get("HTTP_ACCEPT", ""), caller.id, caller.role_name)


def _cacheable(response: Response, record: ReadRecord) -> CachedResponse | None:
    """Return the response of the current request as it is stored; None unless informers answered all of its reads."""
    etag = response.headers.get("ETag")
    if response.status_code not in (200, 304) or etag is None or not (record.is_hit and record.cacheable_response):
        return None
    headers = settled([(name, value) for name, value in response.headers if name not in _NOT_STORED])
    body = response.get_data() if response.status_code == 200 else None
    return CachedResponse(tuple(record.dependencies), headers, etag, body)
