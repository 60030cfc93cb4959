"""A page that did not change is not put together again: its body, its tag and its resume point are kept.

Whether it changed is told by what its objects are; of those that are shared (see
:mod:`omni_gateway.model.omni_objects`) that is found out once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from weakref import ref

from omni_gateway.lru import RENDERED_RESPONSES
from omni_gateway.model.query import Listing
from omni_gateway.model.resource import Resource
from omni_gateway.rest.representation import Representation
from omni_gateway.watch.resume_token import Digest, ResumePoint

Question = tuple[str, ...]
"""What tells one page from another: path and query string."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page, ready to be sent. ``etag`` is weak: the same data may be written otherwise.

    ``source`` returns what it was made of, while that is there: what a :class:`Listing` says to be the same.
    """

    source: Callable[[], object | None]
    body: bytes
    etag: str
    resume_point: str


class RenderedPages:
    """The pages of one application that were asked for last; a thousand machines are 5 MB."""

    def page(
        self, question: Question, listing: Listing, representation: Representation, fields: tuple[str, ...]
    ) -> RenderedPage:
        """Return the page of a listing, which answers ``question``."""
        key = (self, question)
        kept: RenderedPage | None = RENDERED_RESPONSES.get(key)
        if kept is not None and listing.source is not None and kept.source() is listing.source:
            return kept
        etag, source = _etag(listing, fields), _nothing if listing.source is None else ref(listing.source)
        if kept is not None and kept.etag == etag:
            made = replace(kept, source=source)
        else:
            items = listing.items
            made = RenderedPage(source, representation.list_body(items, fields), etag, str(ResumePoint.of(items)))
            if kept is not None:
                representation.let_go(kept.body)
        RENDERED_RESPONSES.put(key, made, made.body)
        return made


def _nothing() -> None:
    """Return nothing: there is nothing that stays the same."""


def _etag(listing: Listing, fields: tuple[str, ...]) -> str:
    """Return a tag of all that the objects are, in their order, and of how many there are in all."""
    digest = blake2b(b"".join([item.derived("state", _state) for item in listing.items]), digest_size=16)
    digest.update(f"{listing.total}\0{','.join(fields)}".encode())
    return f'W/"{digest.hexdigest()}"'


def _state(item: Resource) -> bytes:
    content = item.derived("digest", Digest.of)
    return f"{content.state:016x}{item.phase}\n".encode()
