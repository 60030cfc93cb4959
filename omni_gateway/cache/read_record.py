"""How the reads of one request were answered, and what they saw."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Literal

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.snapshot import Snapshot

Forward = Literal["uri-miss", "stale", "request", "bypass"]
"""Why Omni was asked (RFC 9211 §2.2): not known here yet, not to be believed, on request, not answerable here."""


class Dependency:
    """What a read saw of a feed: one object, that there is none of an id, or all of them.

    It does not hold them: what has changed since is gone.
    """

    __slots__ = ("_id", "_seen", "informer")

    def __init__(self, informer: Informer, seen: CachedObject | Snapshot | str) -> None:
        """``seen`` as text: the id of which there is no object."""
        self.informer = informer
        self._id = "" if isinstance(seen, Snapshot) else seen if isinstance(seen, str) else seen.id
        self._seen = None if isinstance(seen, str) else weakref.ref(seen)

    @property
    def unchanged(self) -> bool:
        """Whether the feed still shows the very same."""
        seen = None if self._seen is None else self._seen()
        if isinstance(seen, Snapshot):
            return self.informer.shows(seen)
        if self._seen is not None and seen is None:
            return False
        return self.informer.find(self._id) == (True, seen)


@dataclass
class ReadRecord:
    """How the reads of one request were answered.

    ``max_age`` (seconds): how old an answer may be; 0 always asks Omni. ``called_omni``: whether any call to Omni was
    made. ``cacheable_response``: whether the response follows from ``dependencies`` and the request alone.
    """

    max_age: float | None = None
    age: float = 0.0
    called_omni: bool = False
    cacheable_response: bool = True
    forward_reasons: list[Forward] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)

    def note_call(self) -> None:
        """Remember that Omni was asked."""
        self.called_omni = True

    def hit(self, dependency: Dependency, age: float) -> None:
        """Remember what was read from a feed, and how old that is."""
        self.dependencies.append(dependency)
        self.age = max(self.age, age)

    @property
    def is_hit(self) -> bool:
        """Whether nothing at all was asked of Omni."""
        return bool(self.dependencies) and not self.called_omni and not self.forward_reasons

    @property
    def cache_status(self) -> str:
        """Return the value of ``Cache-Status``."""
        if self.is_hit:
            return "omni-gateway; hit"
        if self.forward_reasons:
            return f"omni-gateway; fwd={self.forward_reasons[0]}"
        return f"omni-gateway; fwd={'bypass' if self.dependencies else 'uri-miss'}"
