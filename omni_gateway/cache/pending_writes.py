"""What this process knows to be newer than its watches: its own writes, and what it was told by Omni itself.

A read that comes after must not show what was before. A mark says of one object what must be heard of it before the
type's feed is believed again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from omni_gateway.cache.cached_object import CachedObject

Kind = Literal["there", "since", "past", "written", "leaving", "gone"]
Key = tuple[str, str]


class Tombstone(NamedTuple):
    """An object that a feed heard the end of: when (monotonic), and as it was last."""

    deleted_at: float
    item: CachedObject


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """What must be heard of an object.

    ``since``: it is at least as new as ``created`` and ``version``, or that was heard and its end too. ``past``: the
    one that was ``created`` then is in a later version than ``version``, or gone. ``there``: there is one, newer
    than the one that was ``created`` then. ``leaving``, ``gone``: the one that was ``created`` then, or a
    later one, is tearing down or gone. ``written``: no event tells, Omni is asked whether
    it holds the same. ``at`` (monotonic) is before the write was sent. ``existed``: whether it is
    known that the object was there; if not, there may be nothing to hear. ``end_after`` (monotonic, 0: none): an end of
    an earlier object of this id must be heard that came after it. Omni tells when objects were made to the second, so
    one that was made again at once looks like the earlier one.
    """

    kind: Kind
    version: int = 0
    created: str = ""
    at: float = field(default_factory=time.monotonic)
    existed: bool = True
    end_after: float = 0.0

    def met(self, item: CachedObject | None, gone: Tombstone | None) -> bool:
        """Whether it was heard, by what the feed holds of the object and by the last end of it that was heard."""
        if self.kind == "written":
            return False
        if self.end_after and (gone is None or gone.deleted_at < self.end_after):
            return False
        ended = gone is not None and gone.deleted_at >= self.at
        if self.kind == "there":
            return item is not None and (ended or bool(self.end_after) or item.created > self.created)
        wanted = (self.created, self.version)
        if self.kind == "since":
            if item is not None and (item.created, item.version) >= wanted:
                return True
            return ended and gone is not None and (gone.item.created, gone.item.version) >= wanted
        if ended and gone is not None and gone.item.created >= self.created:
            return True
        if self.kind == "past":
            return item is not None and (item.created, item.version) > wanted
        if item is None:
            return False
        return item.created > self.created or (self.kind == "leaving" and item.leaving)

    def after(self, before: PendingWrite | None) -> PendingWrite:
        """Return this mark where another one of the same object has not been met: an end that is to come must come."""
        if before is None:
            return self
        end = before.at if before.kind in ("leaving", "gone") and before.existed else before.end_after
        return replace(self, end_after=end)


class PendingWrites:
    """The marks of a process, by type; a later one for the same object stands in the place of an earlier one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Key, dict[str, PendingWrite]] = {}

    def set(self, key: Key, id: str, pending: PendingWrite) -> None:
        """Ask for something to be heard of an object."""
        with self._lock:
            self._open.setdefault(key, {})[id] = pending

    def find(self, key: Key, id: str) -> PendingWrite | None:
        """Return what is to be heard of an object."""
        with self._lock:
            return self._open.get(key, {}).get(id)

    def any(self, key: Key) -> bool:
        """Whether anything is to be heard of a type's objects."""
        return key in self._open

    def of(self, key: Key) -> dict[str, PendingWrite]:
        """Return what is to be heard of a type's objects."""
        with self._lock:
            return dict(self._open[key]) if key in self._open else {}

    def drop(self, key: Key, id: str, pending: PendingWrite) -> None:
        """Forget a mark, unless another one has taken its place."""
        with self._lock:
            marks = self._open.get(key)
            if marks is not None and marks.get(id) is pending:
                del marks[id]
                if not marks:
                    del self._open[key]

    def drop_all(self, key: Key) -> None:
        """Forget a type's marks: nobody follows it."""
        with self._lock:
            self._open.pop(key, None)
