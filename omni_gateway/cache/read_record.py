"""The dependencies of one request's reads, and the reads that were forwarded to Omni."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

from omni_gateway.cache.cache_status import CALL, HIT, UNCACHED, ForwardReason
from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.snapshot import Snapshot


class Dependency:
    """A dependency of one read on an informer: an object, the absence of an id, or all objects of the type.

    Objects and snapshots are held by weak reference, so that a cached response does not keep old versions alive. A
    dead reference means that the object was replaced or deleted.
    """

    __slots__ = ("_id", "_seen", "informer")

    def __init__(self, informer: Informer, seen: CachedObject | Snapshot | str) -> None:
        """``seen`` as a string: the id of which there was no object."""
        self.informer = informer
        self._id = "" if isinstance(seen, Snapshot) else seen if isinstance(seen, str) else seen.id
        self._seen = None if isinstance(seen, str) else weakref.ref(seen)

    @property
    def unchanged(self) -> bool:
        """True while the informer is ready and a read would return the very same instance, or the same absence."""
        seen = None if self._seen is None else self._seen()
        if isinstance(seen, Snapshot):
            return self.informer.shows(seen)
        if self._seen is not None and seen is None:
            return False
        return self.informer.find(self._id) == (True, seen)


@dataclass
class ReadRecord:
    """The dependencies of one request's reads; the source of ``Cache-Status`` and ``Age``.

    ``max_age``: the greatest age that the caller accepts, in seconds; 0 forwards every read to Omni. ``called_omni``:
    True after any call to Omni. ``cacheable_response``: True while the response follows from ``dependencies`` and the
    request alone.
    """

    max_age: float | None = None
    age: float = 0.0
    called_omni: bool = False
    cacheable_response: bool = True
    forward_reasons: list[ForwardReason] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)

    def forward(self, reason: ForwardReason) -> None:
        """Record that a read was forwarded to Omni, and why."""
        self.forward_reasons.append(reason)

    def note_call(self) -> None:
        """Record a call to Omni."""
        self.called_omni = True

    def hit(self, dependency: Dependency, age: float) -> None:
        """Record a read from an informer, and the age of its data in seconds."""
        self.dependencies.append(dependency)
        self.age = max(self.age, age)

    @property
    def is_hit(self) -> bool:
        """True if informers answered every read and no call to Omni was made."""
        return bool(self.dependencies) and not self.called_omni and not self.forward_reasons

    @property
    def cache_status(self) -> str:
        """The value of ``Cache-Status``; of several reasons the first one."""
        if self.is_hit:
            return HIT
        if self.forward_reasons:
            return self.forward_reasons[0].header
        return CALL.header if self.dependencies else UNCACHED
