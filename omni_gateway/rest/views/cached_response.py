"""A decorator that answers reads from the response cache (:mod:`omni_gateway.rest.response_cache`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from omni_gateway.http.guard import current_principal
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.response_cache import Key

#: Characters of a cache key; a longer one, e.g. of a very long query string, is not cached.
MAX_KEY_LENGTH = 1024


def use_response_cache(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a read view that responds from the response cache where possible.

    Called only after the caller has been authenticated and its role checked: the key contains both.
    """

    @wraps(view)
    def read(*args: Any, **kwargs: Any) -> Any:
        key = _key()
        if key is None:
            return view(*args, **kwargs)
        cache = current_gateway().responses
        response = cache.get(key)
        if response is None:
            response = view(*args, **kwargs)
            cache.put(key, response)
        return response

    return read


def _key() -> Key | None:
    """Return the cache key of the current request; None if its response must not be cached.

    Callers with an Omni identity of their own, and callers restricted to some clusters, get responses that depend on
    more than the key.
    """
    caller = current_principal()
    if caller.omni is not None or caller.scope.restricted:
        return None
    environ = request.environ
    url = (environ["PATH_INFO"], environ["QUERY_STRING"])
    key = (*url, environ.get("HTTP_ACCEPT", ""), caller.id, caller.role_name)
    return key if sum(map(len, key)) <= MAX_KEY_LENGTH else None
