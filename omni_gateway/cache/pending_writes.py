"""Read-your-writes: the object versions that a process knows of before its watches have delivered them.

After a write, or after a direct read from Omni that returned something newer than the informer has, a
:class:`PendingWrite` records the version that is expected of the object. The informer of that type is bypassed until
its watch has delivered it, so a later read never returns an older state than an earlier one of the same process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from omni_gateway.cache.cached_object import CachedObject

Kind = Literal["created", "at_least", "newer_than", "unknown", "tearing_down", "deleted"]
Key = tuple[str, str]


class Tombstone(NamedTuple):
    """A deleted object: when its deletion was delivered (seconds of the cache's clock), and its last state."""

    deleted_at: float
    item: CachedObject


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """The expected state of one object, by ``kind``:

    - ``at_least``: the object with this ``created`` and ``version`` or a newer one, or the deletion of such a one;
    - ``newer_than``: a later version than this ``created`` and ``version``, or the object's deletion;
    - ``created``: an object that was created after the incarnation that is named by ``created``;
    - ``tearing_down``, ``deleted``: that incarnation, or a later one, is being torn down or is deleted;
    - ``unknown``: no event can meet it (the written version is not known); only a direct read that equals the
      informer's object does.

    ``at`` (seconds of the cache's clock): taken before the write was sent. ``existed``: False where the object may
    never have existed, so that no event may follow. ``end_after`` (the same, 0: none): a deletion of an earlier
    incarnation is still to be delivered, after that time. Omni's creation times are whole seconds, so an object that
    was deleted and created again at once looks like its predecessor; only the deletion in between separates them.
    """

    kind: Kind
    version: int = 0
    created: str = ""
    at: float = 0.0
    existed: bool = True
    end_after: float = 0.0

    def met(self, item: CachedObject | None, gone: Tombstone | None) -> bool:
        """Return True if the informer's object, or its last tombstone, shows the expected state."""
        if self.kind == "unknown":
            return False
        if self.end_after and (gone is None or gone.deleted_at < self.end_after):
            return False
        # A tombstone from before the write was sent is of an earlier incarnation and proves nothing.
        ended = gone is not None and gone.deleted_at >= self.at
        if self.kind == "created":
            # ``created`` is in whole seconds: a successor made within the same second compares as equal. A deletion
            # since the write, or the one that ``end_after`` waited for, shows that the present object is a later one.
            return item is not None and (ended or bool(self.end_after) or item.created > self.created)
        wanted = (self.created, self.version)
        if self.kind == "at_least":
            if item is not None and (item.created, item.version) >= wanted:
                return True
            # Created and deleted again before the informer was looked at: only the tombstone is left to show it.
            return ended and gone is not None and (gone.item.created, gone.item.version) >= wanted
        if ended and gone is not None and gone.item.created >= self.created:
            return True
        if self.kind == "newer_than":
            return item is not None and (item.created, item.version) > wanted
        if item is None:
            # An absence without a tombstone may be older than the write: the informer may not have received the
            # object's creation yet.
            return False
        return item.created > self.created or (self.kind == "tearing_down" and item.tearing_down)

    def after(self, before: PendingWrite | None) -> PendingWrite:
        """Return this pending write as the successor of ``before``, an unmet one of the same object.

        An unmet deletion outlives a later write: its tombstone is then required by ``end_after``. Without that, the
        old incarnation, still in the informer, could meet the new write.
        """
        if before is None:
            return self
        end = before.at if before.kind in ("tearing_down", "deleted") and before.existed else before.end_after
        return replace(self, end_after=end)


class PendingWrites:
    """The pending writes of a process by type, one per object: a later one replaces an earlier one."""

    def __init__(self) -> None:
        # A leaf lock: nothing else is acquired while it is held. Request threads write, reads of any thread check.
        self._lock = threading.Lock()
        self._open: dict[Key, dict[str, PendingWrite]] = {}

    def set(self, key: Key, id: str, pending: PendingWrite) -> None:
        """Record the expected state of an object."""
        with self._lock:
            self._open.setdefault(key, {})[id] = pending

    def find(self, key: Key, id: str) -> PendingWrite | None:
        """Return the pending write of an object, None without one."""
        with self._lock:
            return self._open.get(key, {}).get(id)

    def any(self, key: Key) -> bool:
        """Return True if any object of a type has a pending write."""
        # One dict look-up is atomic, and drop() deletes emptied entries under the lock: no lock on this hot path.
        return key in self._open

    def of(self, key: Key) -> dict[str, PendingWrite]:
        """Return a copy of a type's pending writes, by id."""
        with self._lock:
            return dict(self._open[key]) if key in self._open else {}

    def drop(self, key: Key, id: str, pending: PendingWrite) -> None:
        """Remove a pending write, unless a later one has replaced it."""
        with self._lock:
            pending_of_type = self._open.get(key)
            # By identity: between the caller's check and this call another thread may have written again.
            if pending_of_type is not None and pending_of_type.get(id) is pending:
                del pending_of_type[id]
                if not pending_of_type:
                    del self._open[key]

    def drop_all(self, key: Key) -> None:
        """Remove a type's pending writes; called when its informer is closed, for its successor lists anew."""
        with self._lock:
            self._open.pop(key, None)
