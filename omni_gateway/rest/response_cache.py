"""The response cache: finished responses of reads, returned again while the objects behind them are unchanged."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from omni_gateway.cache.informers import Informers
from omni_gateway.cache.read_record import Dependency
from omni_gateway.http import etags
from omni_gateway.http.headers import settled
from omni_gateway.http.ready import Ready
from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.rest.cache_headers import current_read_record, max_age

JSON = ("Content-Type", "application/json")
#: Headers that are computed anew for each response.
_AGE_HEADERS, _BODY_HEADERS = {"Age"}, {"Content-Length", "Content-Type"}
Key = tuple[str, ...]
"""All that a response depends on except the objects: URL, ``Accept``, caller and role."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A finished response and the objects that it was made from.

    ``body`` is None for a response that has been requested with its own entity tag only (304), so was never rendered.
    """

    dependencies: tuple[Dependency, ...]
    headers: list[tuple[str, str]]
    tag: str
    body: bytes | None

    def respond(self, age: float) -> Response | None:
        """Return the response to the current request; None if it needs the body and there is none.

        ``age`` is that of the objects, in seconds.
        """
        age_header = ("Age", str(int(age)))
        if etags.if_none_match(request, self.tag):
            return Ready([*self.headers, age_header], None, 304)
        if self.body is None:
            return None
        return Ready([*self.headers, age_header, JSON, ("Content-Length", str(len(self.body)))], self.body)


class ResponseCache:
    """The response cache of one application.

    Its entries are in ``rendered``, and evicted there by size with all other rendered bytes.
    A key always stands for the same query, so nothing of the request is parsed again. The objects behind an entry are
    compared on every use, so a cached response is as fresh as a new one.
    """

    def __init__(self, cache: Informers, rendered: ByteBoundedLRU) -> None:
        self._cache = cache
        self._rendered = rendered

    def get(self, key: Key) -> Response | None:
        """Return the cached response; None if there is none, or if an object behind it changed or is too old."""
        cached: CachedResponse | None = self._rendered.get((ResponseCache, key))
        if cached is None:
            return None
        age = self._cache.age_of(cached.dependencies, max_age())
        return None if age is None else cached.respond(age)

    def put(self, key: Key, response: Response) -> None:
        """Store the response of the current request if all of it was read from the cache and may be stored."""
        record, tag = current_read_record(), response.headers.get("ETag")
        if response.status_code not in (200, 304) or tag is None or not (record.is_hit and record.cacheable_response):
            return
        headers = settled((name, value) for name, value in response.headers if name not in _AGE_HEADERS | _BODY_HEADERS)
        body = response.get_data() if response.status_code == 200 else None
        cached = CachedResponse(tuple(record.dependencies), headers, tag, body)
        self._rendered.put((ResponseCache, key), cached, tag.encode() if body is None else body)
