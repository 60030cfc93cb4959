"""How the reads of one request were answered, and what they saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from omni_gateway.omni.cache.feed import Feed
from omni_gateway.omni.cache.item import Item
from omni_gateway.omni.cache.snapshot import Snapshot

Forward = Literal["uri-miss", "stale", "request", "bypass"]
"""Why Omni was asked (RFC 9211 §2.2): not known here yet, not to be believed, on request, not answerable here."""


class Part(NamedTuple):
    """What a read saw of a feed: one object (None: that there is none), or all of them."""

    feed: Feed
    id: str
    value: Item | Snapshot | None

    @property
    def unchanged(self) -> bool:
        """Whether the feed still shows the very same."""
        if isinstance(self.value, Snapshot):
            return self.feed.shows(self.value)
        return self.feed.find(self.id) == (True, self.value)


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
