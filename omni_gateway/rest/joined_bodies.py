"""Rendered documents joined to a JSON array: the bytes of the array and of its documents are in memory once.

The documents are slices that are looked up by id, not objects of their own: a page of a thousand documents is a handful
of Python objects, so pages that change often add little to the garbage collector's work.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Self


class JoinedBodies:
    """A JSON array of documents, or one document; empty after :meth:`clear`."""

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
