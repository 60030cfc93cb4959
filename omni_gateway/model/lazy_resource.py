"""An object of the cache as a :class:`Resource`: its spec is parsed when it is asked for, and not kept.

What is read again and again is kept with the object (``derived``): its rendered body, as long as the shelf has room for
it, its tag, its digests. The parsed spec, which takes five times the room of its text, is not among that.
"""

from __future__ import annotations

from typing import Any

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.model.resource import Resource


class LazyResource(Resource):
    """Read-only, as all shared objects are; a changed copy (``dataclasses.replace``) has a spec of its own."""

    __slots__ = ("_item", "_own")
    _own: dict[str, Any] | None
    _item: CachedObject

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec, parsed anew."""
        return self._own if self._own is not None else self._item.body().get("spec") or {}

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def kept(item: CachedObject) -> Resource:
    """Return the object of an item, shared; what the two have in common is there once."""
    made = LazyResource(
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
