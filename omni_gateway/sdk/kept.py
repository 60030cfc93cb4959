"""An object of the cache as a :class:`Resource`: its spec is parsed when it is asked for, and not kept.

What is read again and again is kept with the object (``derived``): its rendered body, its tag, its digests. The parsed
spec, which takes five times the room of its text, is not among that; and of the bodies, which take as much as all else,
there are no more than :data:`BODIES` has room for.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Hashable
from threading import Lock
from typing import Any

from omni_gateway.omni.cache.item import Item
from omni_gateway.sdk.resource import Resource


class KeptResource(Resource):
    """Read-only, as all shared objects are; a changed copy (``dataclasses.replace``) has a spec of its own."""

    __slots__ = ("_item", "_own")
    _own: dict[str, Any] | None
    _item: Item

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec, parsed anew."""
        return self._own if self._own is not None else self._item.body().get("spec") or {}

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def kept(item: Item) -> Resource:
    """Return the object of an item, shared; what the two have in common is there once."""
    made = KeptResource(
        item.id,
        labels=item.labels,
        annotations=item.annotations,
        namespace=item.namespace,
        type=item.type,
        version=item.version,
        phase=item.phase,
        owner=item.owner,
        created=item.created or None,
        updated=item.updated,
        finalizers=item.finalizers,
    )
    made._own, made._item = None, item
    return made.shared()


class Bodies:
    """Which rendered bodies are kept with their objects; those that were made first go first.

    ``most``: bytes of all together. Bodies of objects that are gone count until it is their turn.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = Lock()
        self._held = 0
        self._made: deque[tuple[weakref.ref[Resource], Hashable, int]] = deque()

    def made(self, resource: Resource, key: Hashable, body: bytes) -> None:
        """Take note of a body that was kept with a shared object as ``derived`` by ``key``."""
        with self._lock:
            self._made.append((weakref.ref(resource), key, len(body)))
            self._held += len(body)
            while self._held > self.most:
                gone, its_key, size = self._made.popleft()
                self._held -= size
                if (other := gone()) is not None and other.memo is not None:
                    other.memo.pop(its_key, None)


BODIES = Bodies(16 * 1024 * 1024)
"""Of this process."""
