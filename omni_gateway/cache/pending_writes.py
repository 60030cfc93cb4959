"""Read-your-writes: states of objects that a process knows before its watches have delivered them.

After a write, or after a direct read from Omni that returned something newer than the informer has, an
:class:`Expectation` of the object is recorded. The informer of that type is bypassed until its watch has delivered what
is expected, so a later read never returns an older state than an earlier one of the same process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from omni_gateway.cache.cached_object import CachedObject

Key = tuple[str, str]


class Tombstone(NamedTuple):
    """A deleted object: when its deletion was delivered (seconds of the cache's clock), and its last state."""

    deleted_at: float
    item: CachedObject


@dataclass(frozen=True, slots=True)
class Expectation:
    """The state that an informer has to show of one object before reads of the type may use it.

    Its times are seconds of the cache's clock. ``sent_at``: before the write, or the read, was sent. ``known_at``:
    after its answer; a watch that is opened later lists the result. ``settled_at``: Omni's reads lag behind its writes;
    one that is sent from then on returns the result.
    """

    sent_at: float
    known_at: float
    settled_at: float

    def met(self, item: CachedObject | None, tombstone: Tombstone | None) -> bool:
        """Return True if the informer's object, or its last tombstone since ``sent_at``, shows the expected state.

        An earlier tombstone is of an earlier incarnation and proves nothing, whatever its creation time: Omni's are
        whole seconds, so an object that was deleted and created again at once looks like its predecessor.
        """
        raise NotImplementedError

    def joined(self, earlier: Self) -> Self:
        """Return the expectation in the place of this one and an unmet ``earlier`` one of its class."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class AtLeast(Expectation):
    """The incarnation that was ``created`` then, at ``version`` or a later one; or its deletion; or a successor."""

    created: str
    version: int

    def met(self, item: CachedObject | None, tombstone: Tombstone | None) -> bool:
        """Return True for such an object, or a deletion of it: it may be gone before the informer is looked at."""
        if item is not None and (item.created, item.version) >= (self.created, self.version):
            return True
        return tombstone is not None and tombstone.item.created >= self.created

    def joined(self, earlier: Self) -> Self:
        """Return the later state; of two equal ones the earlier, so that reading it again postpones no bound."""
        is_later = (self.created, self.version) > (earlier.created, earlier.version)
        return self if is_later else earlier


@dataclass(frozen=True, slots=True)
class Gone(Expectation):
    """The deletion of the incarnation that was ``created`` then, or a later incarnation.

    ``created`` is empty where the incarnation is not known: then only a deletion shows it, for the object that the
    informer gets next may be the deleted one. ``teardown``: the object may also be there, but being torn down.
    ``existed``: False where all that is known is that Omni had no such object, so that no event may follow.
    """

    created: str
    teardown: bool = False
    existed: bool = True

    def met(self, item: CachedObject | None, tombstone: Tombstone | None) -> bool:
        """Return True for a deletion or a successor.

        An absence without a tombstone may be older than the write: the informer may not have received the object's
        creation yet.
        """
        if tombstone is not None and tombstone.item.created >= self.created:
            return True
        if item is None:
            return not self.existed
        if self.teardown and item.tearing_down and item.created >= self.created:
            return True
        return bool(self.created) and item.created > self.created

    def joined(self, earlier: Self) -> Self:
        """Return the deletion of the later incarnation; a teardown is not enough where a deletion was expected."""
        if self.created and earlier.created > self.created:
            return earlier
        return replace(self, teardown=self.teardown and earlier.teardown) if earlier.created == self.created else self


@dataclass(frozen=True, slots=True)
class Unknown(Expectation):
    """A write whose result is not known: no event can meet it, only a direct read that equals the informer's object.

    A create is one, as Omni answers it without the creation time: until the object was read, what the informer shows
    may be an earlier one, which others created and deleted just before.
    """

    def met(self, item: CachedObject | None, tombstone: Tombstone | None) -> bool:
        """Return False."""
        return False

    def joined(self, earlier: Self) -> Self:
        """Return the one that is settled later."""
        return self if self.settled_at >= earlier.settled_at else earlier


class PendingWrites:
    """The unmet expectations of a process by type and object, at most one of each class: all of them must be met.

    A deletion is thus still expected after a later write. Without that, the old incarnation, still in the informer,
    could meet the expectation of the new one.
    """

    def __init__(self) -> None:
        # A leaf lock: nothing else is acquired while it is held. Request threads write, reads of any thread check.
        self._lock = threading.Lock()
        self._open: dict[Key, dict[str, tuple[Expectation, ...]]] = {}

    def add(self, key: Key, id: str, expectation: Expectation) -> None:
        """Expect something of an object; an expectation of the same class is joined with it."""
        with self._lock:
            pending_of_type = self._open.setdefault(key, {})
            others = []
            for each in pending_of_type.get(id, ()):
                if type(each) is type(expectation):
                    expectation = expectation.joined(each)
                else:
                    others.append(each)
            pending_of_type[id] = (*others, expectation)

    def find(self, key: Key, id: str) -> Sequence[Expectation]:
        """Return the expectations of an object."""
        with self._lock:
            return self._open.get(key, {}).get(id, ())

    def any(self, key: Key) -> bool:
        """Return True if anything is expected of any object of a type."""
        # One dict look-up is atomic, and drop() deletes emptied entries under the lock: no lock on this hot path.
        return key in self._open

    def ids(self, key: Key) -> list[str]:
        """Return the ids of the objects of a type of which something is expected."""
        with self._lock:
            return list(self._open.get(key, ()))

    def drop(self, key: Key, id: str, met: Sequence[Expectation]) -> None:
        """Remove expectations, unless later ones have replaced them."""
        # By identity: between the caller's check and this call another thread may have written again.
        with self._lock:
            pending_of_type = self._open.get(key, {})
            left = tuple(each for each in pending_of_type.get(id, ()) if not any(each is other for other in met))
            if left:
                pending_of_type[id] = left
            else:
                pending_of_type.pop(id, None)
                if not pending_of_type:
                    self._open.pop(key, None)

    def drop_all(self, key: Key) -> None:
        """Remove a type's expectations; called when its informer is closed, for its successor lists anew."""
        with self._lock:
            self._open.pop(key, None)
