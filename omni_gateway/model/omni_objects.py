"""Read Omni's objects as :class:`Resource`; each version of an object is parsed and rendered once.

Omni returns lists as JSON texts. The same text is the same object in the same version, so the text is the key of a
cache, and values that are derived from it (the parsed object, its rendered body, its digests) are cached with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from threading import Lock

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.client import CachedListResult, CachedResources
from omni_gateway.model.lazy_resource import lazy_resource
from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, OmniClient

#: Bound of the cached texts.
MAX_TEXT_BYTES = 8 * 1024 * 1024


class ResourceCache:
    """A byte-bounded FIFO cache of objects by their JSON text. Its objects are shared: never change them in place."""

    def __init__(self, max_bytes: int = MAX_TEXT_BYTES) -> None:
        self._max = max_bytes
        self._used = 0
        self._lock = Lock()
        self._resources: dict[str, Resource] = {}

    def resources(self, texts: Sequence[str], read: Callable[[str], Resource]) -> list[Resource]:
        """Return the objects of ``texts``, in their order; ``read`` parses those that are not cached."""
        with self._lock:
            found = [self._resources.get(text) for text in texts]
            complete = [resource or self._add(text, read) for text, resource in zip(texts, found, strict=True)]
            while self._used > self._max:
                oldest = next(iter(self._resources))
                del self._resources[oldest]
                self._used -= len(oldest)
        return complete

    def _add(self, text: str, read: Callable[[str], Resource]) -> Resource:
        resource = self._resources[text] = read(text).shared()
        self._used += len(text)
        return resource


def from_text(text: str) -> Resource:
    """Return the object of a JSON text of ``omni.resources.ResourceService``."""
    return lazy_resource(CachedObject(text))


_CACHE = ResourceCache()


def resource_of(item: CachedObject) -> Resource:
    """Return an informer's object as a :class:`Resource`, made once for each version."""
    resource: Resource | None = item.derived
    if resource is None:
        resource = item.derived = lazy_resource(item)
    return resource


def read(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource:
    """Return one object; shared if it comes from the cache, so never change it in place.

    ``namespace`` is by default the type's own. Raises Omni's ``NotFound`` if there is no such object.
    """
    if isinstance(omni.resources, CachedResources):
        return resource_of(omni.resources.item(type, id, namespace))
    return Resource.from_omni(omni.resources.get(type, id, namespace))


def read_from_omni(omni: OmniClient, type: str, id: str) -> Resource:
    """Return one object as :func:`read` does, but never from the cache."""
    if isinstance(omni.resources, CachedResources):
        return resource_of(omni.resources.item_from_omni(type, id))
    return Resource.from_omni(omni.resources.get(type, id))


def list_cached(omni: OmniClient, type: str) -> ListResult | None:
    """Return all objects of a type from the cache; None if this request may not read them from it."""
    return omni.resources.list_cached(type) if isinstance(omni.resources, CachedResources) else None


def resources_of(listing: ListResult) -> Sequence[Resource]:
    """Return the objects of a list result; they are shared, so never change them in place."""
    if isinstance(listing, CachedListResult):
        # The call is saved for objects that were read before: a list may have ten thousand.
        return [item.derived or resource_of(item) for item in listing.page.entries]
    return _CACHE.resources(listing.texts, from_text)


def resources_by_id(listing: ListResult, ids: Collection[str]) -> dict[str, Resource]:
    """Return the objects of a list, ordered by id, of which ``ids`` are a part or all; shared as by ``resources_of``.

    Others may be among them. From the cache, only those between the first and the last of ``ids`` are looked at.
    """
    if not ids:
        return {}
    if not isinstance(listing, CachedListResult):
        return {item.id: item for item in resources_of(listing)}
    entries = listing.page.entries
    start, end = bisect_left(entries, min(ids), key=_id), bisect_right(entries, max(ids), key=_id)
    return {item.id: item.derived or resource_of(item) for item in entries[start:end]}


_id = attrgetter("id")
