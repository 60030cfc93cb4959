"""The response cache: finished responses of reads, returned again while the objects behind them are unchanged.

It knows no web framework: a key, a greatest age and an entity tag are all that it needs of a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni_gateway.cache.informers import Informers
from omni_gateway.cache.read_record import Dependency
from omni_gateway.http import etags
from omni_gateway.lru import ByteBoundedLRU

Header = tuple[str, str]
Key = tuple[str, ...]
"""All that a response depends on except the objects: path, query string, ``Accept``, the caller's id and role."""

JSON = ("Content-Type", "application/json")
#: Characters of a key; a response with a longer one, e.g. of a very long query string, is not stored.
MAX_KEY_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A finished response, and the objects that it was made from.

    ``headers`` are those of a 200 and a 304 alike. ``body``, JSON, is None for a response that has been requested with
    its own entity tag only (304), so was never rendered.
    """

    dependencies: Sequence[Dependency]
    headers: Sequence[Header]
    etag: str
    body: bytes | None

    def reply(self, age: float, if_none_match: str | None) -> Reply | None:
        """Return what to send to a request with this ``If-None-Match``; None if it needs the body and there is none.

        ``age`` is that of the objects, in seconds.
        """
        headers = [*self.headers, ("Age", str(int(age)))]
        if if_none_match is not None and etags.matches(if_none_match, self.etag):
            return Reply(304, headers, None)
        if self.body is None:
            return None
        return Reply(200, [*headers, JSON, ("Content-Length", str(len(self.body)))], self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """A stored response as it is sent: its status, all headers that do not depend on the request, and its body."""

    status: int
    headers: Sequence[Header]
    body: bytes | None


class ResponseCache:
    """The response cache of one application.

    A key always stands for the same query, so nothing of the request is parsed again. The objects behind an entry are
    compared at each use, so a cached response is as fresh as a new one, and no change has to invalidate it. Entries are
    evicted from ``rendered`` by size, with all other rendered bytes.
    """

    def __init__(self, informers: Informers, rendered: ByteBoundedLRU) -> None:
        self._informers = informers
        self._rendered = rendered

    def get(self, key: Key, max_age: float | None = None, if_none_match: str | None = None) -> Reply | None:
        """Return the stored response; None if there is none, or if an object behind it changed or is too old.

        :param max_age: the greatest age of the objects, in seconds, that the caller accepts; None: any, 0: none.
        :param if_none_match: the request's ``If-None-Match``; a 304 is returned where it names the response's tag.
        """
        if max_age == 0:
            return None
        stored: CachedResponse | None = self._rendered.get((ResponseCache, key))
        if stored is None:
            return None
        age = self._informers.age_of(stored.dependencies, max_age)
        return None if age is None else stored.reply(age, if_none_match)

    def put(self, key: Key, response: CachedResponse) -> None:
        """Store a response, in the place of an earlier one of the key."""
        if sum(map(len, key)) <= MAX_KEY_LENGTH:
            content = response.etag.encode() if response.body is None else response.body
            self._rendered.put((ResponseCache, key), response, content)
