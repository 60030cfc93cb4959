"""The rendered bodies of one application's objects: each version of an object is rendered once per representation."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context

from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.model.resource import Resource
from omni_gateway.rest.joined_bodies import JoinedBodies
from omni_gateway.rest.representation import Representation


class RenderedBodies:
    """Renders objects, and caches the bodies of shared objects with these, as far as ``rendered`` has room for them.

    A body is cached as a slice of the page that it was last rendered for, so that the bytes are in memory once.
    """

    def __init__(self, rendered: ByteBoundedLRU) -> None:
        self._rendered = rendered

    def body(self, representation: Representation, resource: Resource, fields: tuple[str, ...] = ()) -> bytes:
        """Return an object as JSON, reduced to ``fields`` (dotted paths) if any are given; then it is not cached."""
        if fields:
            return _render(representation, resource, fields)
        body = _cached(representation, resource)
        if body is None:
            # Copied to its exact size: orjson returns a buffer that stays as large as it has grown.
            body = bytes(memoryview(_render(representation, resource)))
            self._cache(representation, [resource], JoinedBodies.of_one(resource.id, body))
        return body

    def page(
        self, representation: Representation, resources: Sequence[Resource], fields: tuple[str, ...] = ()
    ) -> bytes:
        """Return objects as a JSON array, joined from their cached bodies.

        Afterwards the cached body of each object is a slice of the array.
        """
        if fields:
            return b"[%b]" % b",".join([_render(representation, resource, fields) for resource in resources])
        bodies = [_cached(representation, resource) or _render(representation, resource) for resource in resources]
        joined = JoinedBodies.of([resource.id for resource in resources], bodies)
        page = joined.body
        self._cache(representation, resources, joined)
        return page

    def evict(self, page: bytes) -> None:
        """Evict an array that :meth:`page` returned; called when a newer one replaces it."""
        self._rendered.drop((JoinedBodies, id(page)))

    def _cache(self, representation: Representation, resources: Sequence[Resource], joined: JoinedBodies) -> None:
        """Cache the joined bodies with each of their objects, if all of them are shared and the bytes fit."""
        memos = [resource.memo for resource in resources if resource.memo is not None]
        if len(memos) < len(resources) or not memos or not joined.distinct:
            return
        # The id is not reused while it is a key: the entry holds the bytes.
        if self._rendered.put((JoinedBodies, id(joined.body)), joined, joined.body, joined.clear):
            for memo in memos:
                memo[representation] = joined


def _render(representation: Representation, resource: Resource, fields: tuple[str, ...] = ()) -> bytes:
    # In an empty context there is no request that a plugin's link or field could depend on: all callers get this body.
    return Context().run(representation.render, resource, fields)


def _cached(representation: Representation, resource: Resource) -> bytes | None:
    joined: JoinedBodies | None = resource.memo.get(representation) if resource.memo is not None else None
    return joined.part(resource.id) if joined is not None else None
