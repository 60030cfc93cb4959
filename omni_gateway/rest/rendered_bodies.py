"""The rendered bodies of one application's objects: each version of an object is rendered once per representation."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextvars import Context
from typing import Self

from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.model.resource import Resource
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


class JoinedBodies:
    """A JSON array of documents, or one document; empty after :meth:`clear`.

    The documents are slices that are looked up by id, not objects of their own: a page of a thousand documents is a
    handful of Python objects, so pages that change often add little to the garbage collector's work.
    """

    __slots__ = ("_content", "_ends", "_starts", "distinct")

    def __init__(self, body: bytes, ids: Sequence[str], starts: array[int], ends: array[int]) -> None:
        indexes = dict(zip(ids, range(len(ids)), strict=True))
        # One tuple, so that `clear` replaces body and index in one step while other threads read them.
        self._content = (body, indexes)
        self._starts, self._ends = starts, ends
        #: Whether all ids are distinct.
        self.distinct = len(indexes) == len(ids)

    @classmethod
    def of_one(cls, id: str, body: bytes) -> Self:
        """Return the joined form of a single document."""
        return cls(body, [id], array("Q", [0]), array("Q", [len(body)]))

    @classmethod
    def of(cls, ids: Sequence[str], bodies: list[bytes]) -> Self:
        """Return the array of documents; ``bodies`` is modified."""
        if not bodies:
            # A new object, not the literal: cached bodies are told apart by identity.
            return cls(bytes(bytearray(b"[]")), [], array("Q"), array("Q"))
        starts, ends, start = array("Q"), array("Q"), 1
        for body in bodies:
            starts.append(start)
            ends.append(start + len(body))
            start += len(body) + 1
        # The brackets are added to the outer bodies: added to the joined bytes, each would copy megabytes once more.
        bodies[0] = b"[" + bodies[0]
        bodies[-1] += b"]"
        return cls(b",".join(bodies), ids, starts, ends)

    @property
    def body(self) -> bytes:
        """Return the whole array; empty after :meth:`clear`."""
        return self._content[0]

    def part(self, id: str) -> bytes | None:
        """Return the document of an id; None for an unknown id and after :meth:`clear`."""
        body, indexes = self._content
        index = indexes.get(id)
        if index is None:
            return None
        start, end = self._starts[index], self._ends[index]
        return body if end - start == len(body) else body[start:end]

    def clear(self) -> None:
        """Release the bytes; called on eviction. Objects that still refer to this are rendered again."""
        self._content = (b"", {})
