"""A cached object as a :class:`Resource` whose spec is parsed on each access.

Values that are read often are cached with the object (``derived``): its entity tag, its digests and its rendered body,
until that is evicted. The parsed spec is not, since it takes five times the memory of its text.
"""

from __future__ import annotations

from typing import Any

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.model.resource import Resource


class LazyResource(Resource):
    """A shared object, so read-only; a changed copy (``dataclasses.replace``) has a parsed spec of its own."""

    __slots__ = ("_item", "_own")
    _own: dict[str, Any] | None
    _item: CachedObject

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec, parsed on each access; assign it to a variable to read several members."""
        return self._own if self._own is not None else self._item.body().get("spec") or {}

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def lazy_resource(item: CachedObject) -> Resource:
    """Return a cached object as a shared :class:`Resource`; labels and annotations are not copied."""
    resource = LazyResource(
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
    resource._own, resource._item = None, item
    return resource.shared()
