"""A cache of rendered list pages: body, entity tag and resume point, reused while the page's objects are unchanged.

A page is compared by the state of its objects; the state of shared objects (see
:mod:`omni_gateway.model.omni_objects`) is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass

from omni_gateway.http import etags
from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.model.query import Listing
from omni_gateway.model.resource import Resource
from omni_gateway.rest.rendered_bodies import RenderedBodies
from omni_gateway.rest.representation import Representation
from omni_gateway.watch.resume_token import ResumePoint, digest_of

Key = tuple[str, ...]
"""Path and query string of a page."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A rendered page."""

    body: bytes
    etag: str
    resume_point: str


class RenderedPages:
    """The rendered pages of one application; a page of a thousand machines is 5 MB."""

    def __init__(self, rendered: ByteBoundedLRU, bodies: RenderedBodies) -> None:
        """``rendered`` holds the pages, and the ``bodies`` that they are made of."""
        self._rendered = rendered
        self._bodies = bodies

    def page(self, key: Key, listing: Listing, representation: Representation, fields: tuple[str, ...]) -> RenderedPage:
        """Return the rendered page of ``listing``; ``key`` is that of the request."""
        cache_key = (RenderedPages, key)
        cached: RenderedPage | None = self._rendered.get(cache_key)
        states = [item.derived("state", _state) for item in listing.items]
        etag = etags.of_list(states, listing.total, (*representation.tagged, *fields))
        if cached is not None and cached.etag == etag:
            return cached
        items = listing.items
        page = RenderedPage(self._bodies.page(representation, items, fields), etag, str(ResumePoint.of(items)))
        if cached is not None:
            self._bodies.evict(cached.body)
        self._rendered.put(cache_key, page, page.body)
        return page


def _state(item: Resource) -> bytes:
    content = digest_of(item)
    return f"{content.state:016x}{item.phase}\n".encode()
