"""A page that did not change is not put together again: its body, its tag and its resume point are kept.

Whether it changed is told by its objects: those that come from the cache (see :mod:`omni_gateway.sdk.parsing`) are the
very same ones as long as Omni's answer is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from omni_gateway.recent import Recent
from omni_gateway.sdk.exchange import Listing
from omni_gateway.sdk.representation import Representation
from omni_gateway.sdk.resource import Resource
from omni_gateway.sdk.resume import ResumePoint

MAX_PAGES = 64
Question = tuple[str, ...]
"""What tells one page from another: path and query string."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page, ready to be sent. ``etag`` is weak: the same data may be written otherwise."""

    items: Sequence[Resource]
    total: int
    body: bytes
    etag: str
    resume_point: str


class RenderedPages:
    """The pages that were asked for last, of no more than ``most_bytes`` together; a thousand machines are 5 MB."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: Recent[Question, RenderedPage] = Recent(
            MAX_PAGES, most_size=most_bytes, size=lambda page: len(page.body)
        )

    def page(
        self, question: Question, listing: Listing, representation: Representation, fields: tuple[str, ...]
    ) -> RenderedPage:
        """Return the page of a listing, which answers ``question``."""
        kept = self._kept.get(question)
        if kept is not None and kept.total == listing.total and kept.items == listing.items:
            return kept
        made = _render(listing, representation, fields)
        if all(item.memo is not None for item in made.items):
            self._kept.put(question, made)
        return made


def _render(listing: Listing, representation: Representation, fields: tuple[str, ...]) -> RenderedPage:
    digest = blake2b(b"".join([item.derived("state", _state) for item in listing.items]), digest_size=8)
    digest.update(f"{listing.total}\0{','.join(fields)}".encode())
    return RenderedPage(
        listing.items,
        listing.total,
        representation.list_body(listing.items, fields),
        f'W/"{digest.hexdigest()}"',
        str(ResumePoint.of(listing.items)),
    )


def _state(item: Resource) -> bytes:
    return f"{item.id}\0{item.version}\0{item.phase}\n".encode()
