"""A page that did not change is not put together again: its body, its tag and its resume point are kept.

Whether it changed is told by its objects: those that come from the cache (see :mod:`omni_gateway.sdk.parsing`) are the
very same ones as long as Omni's answer is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

from omni_gateway.sdk.exchange import Listing
from omni_gateway.sdk.representation import Representation
from omni_gateway.sdk.resource import Resource
from omni_gateway.sdk.resume import ResumePoint

MAX_PAGES = 16
#: Of all pages of one collection together; a thousand machines are about 5 MB.
MAX_KEPT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """One page, ready to be sent. ``etag`` is weak: the same data may be written otherwise."""

    items: Sequence[Resource]
    total: int
    body: bytes
    etag: str
    resume_point: str


class RenderedPages:
    """The pages of one collection that were asked for last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[bytes, RenderedPage] = OrderedDict()

    def page(
        self, key: bytes, listing: Listing, representation: Representation, fields: tuple[str, ...]
    ) -> RenderedPage:
        """Return the page of a listing; ``key`` is what tells one question from another: the query string."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept.total == listing.total and kept.items == listing.items:
            return kept
        made = _render(listing, representation, fields)
        if len(made.body) <= MAX_KEPT_BYTES and all(item.memo is not None for item in made.items):
            with self._lock:
                self._kept[key] = made
                self._kept.move_to_end(key)
                while len(self._kept) > MAX_PAGES or self._size() > MAX_KEPT_BYTES:
                    self._kept.popitem(last=False)
        return made

    def _size(self) -> int:
        return sum(len(page.body) for page in self._kept.values())


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
