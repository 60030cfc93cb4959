"""Objects that were read before need not be read again: one object of one version is parsed and rendered once.

Omni answers a list as JSON texts. The same text is the same object in the same version, so the text itself is the key,
and what is derived from it (the parsed object, its rendered body, its digests) is kept as long as there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, TypeVar, cast

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.client import CachedListResult, CachedResources
from omni_gateway.cache.subscription import CachedObjectEvent
from omni_gateway.model.lazy_resource import kept
from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, OmniClient, WatchEvent

T = TypeVar("T")

#: Of the texts, which are kept as they are, and as long as their objects.
MAX_TEXT_BYTES = 8 * 1024 * 1024


class ResourceCache:
    """Objects that came in first go first. Objects from here are shared: they are read, never changed in place."""

    def __init__(self, max_bytes: int = MAX_TEXT_BYTES) -> None:
        self._max = max_bytes
        self._used = 0
        self._lock = Lock()
        self._kept: dict[str, Resource] = {}

    def resources(self, texts: Sequence[str], read: Callable[[str], Resource]) -> list[Resource]:
        """Return the objects of ``texts``, in their order; ``read`` parses those that are not here."""
        with self._lock:
            found = [self._kept.get(text) for text in texts]
            complete = [resource or self._add(text, read) for text, resource in zip(texts, found, strict=True)]
            while self._used > self._max:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self._used -= len(oldest)
        return complete

    def _add(self, text: str, read: Callable[[str], Resource]) -> Resource:
        resource = self._kept[text] = read(text).shared()
        self._used += len(text)
        return resource


def from_text(text: str) -> Resource:
    """Read an object as ``omni.resources.ResourceService`` writes it."""
    return kept(CachedObject(text))


_CACHE = ResourceCache()


def resource_told(item: CachedObject) -> Resource:
    """Return the object that a feed holds, made once for each version."""
    resource: Resource | None = item.derived
    if resource is None:
        resource = item.derived = kept(item)
    return resource


def resource_in(event: WatchEvent | CachedObjectEvent) -> Resource:
    """Return the object that an event of a watch is about, shared if it comes from the cache."""
    if isinstance(event, CachedObjectEvent) and event.item is not None:
        return resource_told(event.item)
    return Resource.from_omni(cast("Mapping[str, Any]", event.resource if event.resource is not None else event.old))


def read(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource:
    """Return one object, shared if it comes from the cache; Omni's ``NotFound`` when there is none."""
    if isinstance(omni.resources, CachedResources):
        return resource_told(omni.resources.item(type, id, namespace))
    return Resource.from_omni(omni.resources.get(type, id, namespace))


def resources_of(listing: ListResult) -> Sequence[Resource]:
    """Return the objects of Omni's answer to a list; they are shared, so they are read and never changed in place."""
    if isinstance(listing, CachedListResult):
        return kept_with(listing, resources_of, lambda: tuple(map(resource_told, listing.page.entries)))
    return _CACHE.resources(listing.texts, from_text)


def kept_with(listing: ListResult, question: Hashable, make: Callable[[], T]) -> T:
    """Return ``make()``; of a page of the cache it is made once for a question, and kept as long as the page."""
    return listing.page.made(question, make) if isinstance(listing, CachedListResult) else make()
