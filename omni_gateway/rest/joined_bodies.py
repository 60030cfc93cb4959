"""Rendered documents and their array: the same bytes, kept once.

Its parts are found by their ids, not held one by one: a page of a thousand objects is a handful of Python objects, so
that pages that change all the time give the garbage collector nothing to look through.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Self


class JoinedBodies:
    """A JSON array of documents, or one document; nothing is left of it once it is told to ``forget``."""

    __slots__ = ("_content", "_ends", "_starts", "distinct")

    def __init__(self, body: bytes, ids: Sequence[str], starts: array[int], ends: array[int]) -> None:
        places = dict(zip(ids, range(len(ids)), strict=True))
        self._content = (body, places)
        self._starts, self._ends = starts, ends
        #: Whether each part has an id of its own.
        self.distinct = len(places) == len(ids)

    @classmethod
    def of_one(cls, id: str, body: bytes) -> Self:
        """Return one document."""
        return cls(body, [id], array("Q", [0]), array("Q", [len(body)]))

    @classmethod
    def of(cls, ids: Sequence[str], bodies: list[bytes]) -> Self:
        """Return an array of documents; ``bodies`` is used up."""
        if not bodies:
            return cls(bytes(bytearray(b"[]")), [], array("Q"), array("Q"))  # a literal would be one for all of them
        starts, ends, start = array("Q"), array("Q"), 1
        for body in bodies:
            starts.append(start)
            ends.append(start + len(body))
            start += len(body) + 1
        # The brackets go to the outer bodies: put around the joined bytes, each would copy megabytes once more.
        bodies[0] = b"[" + bodies[0]
        bodies[-1] += b"]"
        return cls(b",".join(bodies), ids, starts, ends)

    @property
    def body(self) -> bytes:
        """Return all of it; nothing once it is forgotten."""
        return self._content[0]

    def part(self, id: str) -> bytes | None:
        """Return the document of an id; None once all is forgotten."""
        body, places = self._content
        place = places.get(id)
        if place is None:
            return None
        start, end = self._starts[place], self._ends[place]
        return body if end - start == len(body) else body[start:end]

    def forget(self) -> None:
        """Let the bytes go; objects that still point here are rendered again."""
        self._content = (b"", {})
