"""How the reads of one request were answered, and what they saw."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Literal

from omni_gateway.cache.cached_object import Item
from omni_gateway.cache.informer import Feed
from omni_gateway.cache.snapshot import Snapshot

Forward = Literal["uri-miss", "stale", "request", "bypass"]
"""Why Omni was asked (RFC 9211 §2.2): not known here yet, not to be believed, on request, not answerable here."""


class Part:
    """What a read saw of a feed: one object, that there is none of an id, or all of them.

    It does not hold them: what has changed since is gone.
    """

    __slots__ = ("_id", "_seen", "feed")

    def __init__(self, feed: Feed, seen: Item | Snapshot | str) -> None:
        """``seen`` as text: the id of which there is no object."""
        self.feed = feed
        self._id = "" if isinstance(seen, Snapshot) else seen if isinstance(seen, str) else seen.id
        self._seen = None if isinstance(seen, str) else weakref.ref(seen)

    @property
    def unchanged(self) -> bool:
        """Whether the feed still shows the very same."""
        seen = None if self._seen is None else self._seen()
        if isinstance(seen, Snapshot):
            return self.feed.shows(seen)
        if self._seen is not None and seen is None:
            return False
        return self.feed.find(self._id) == (True, seen)


@dataclass
class Reading:
    """The account of one request. ``max_age`` (seconds): how old an answer may be; 0 asks Omni always.

    ``asked``: whether any call to Omni was made. ``repeatable``: whether the answer follows from ``parts`` and the
    question alone, as far as those who read can tell.
    """

    max_age: float | None = None
    age: float = 0.0
    asked: bool = False
    repeatable: bool = True
    forwards: list[Forward] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def note_call(self) -> None:
        """Remember that Omni was asked."""
        self.asked = True

    def hit(self, part: Part, age: float) -> None:
        """Remember what was read from a feed, and how old that is."""
        self.parts.append(part)
        self.age = max(self.age, age)

    @property
    def is_hit(self) -> bool:
        """Whether nothing at all was asked of Omni."""
        return bool(self.parts) and not self.asked and not self.forwards

    @property
    def cache_status(self) -> str:
        """Return the value of ``Cache-Status``."""
        if self.is_hit:
            return "omni-gateway; hit"
        if self.forwards:
            return f"omni-gateway; fwd={self.forwards[0]}"
        return f"omni-gateway; fwd={'bypass' if self.parts else 'uri-miss'}"
