"""Lists and watches of the objects whose id matches ``ListQuery.id_matches``.

Applied to what an adapter returns, so that it holds for every resource: Omni's ``ResourceService`` has no such query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from omni_gateway.model.id_pattern import IdPattern
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.watch.source import View, WatchSource


def matching_list(adapter: ResourceAdapter, query: ListQuery) -> Listing:
    """Return the page of an adapter's objects that match the whole query; the page is cut here."""
    pattern = query.id_matches
    if pattern is None:
        return adapter.list(query)
    found = [item for item in adapter.list(replace(query, offset=0, limit=0)).items if pattern.matches(item.id)]
    end = query.offset + query.limit if query.limit else None
    return Listing(found[query.offset : end], len(found))


def matching_source(adapter: ResourceAdapter, query: ListQuery, id: str) -> WatchSource | None:
    """Return the source of a watch of the whole query, as ``adapter.watch_source`` does."""
    source = adapter.watch_source(query, id)
    return source if source is None or query.id_matches is None else _MatchingSource(source, query.id_matches)


@contextmanager
def matching_watch(adapter: ResourceAdapter, query: ListQuery, id: str) -> Iterator[Iterator[Change]]:
    """Watch the whole query, as ``adapter.watch`` does."""
    pattern = query.id_matches
    with adapter.watch(query, id) as changes:
        if pattern is None:
            yield changes
        else:
            yield (change for change in changes if change.resource is None or pattern.matches(change.resource.id))


class _MatchingSource(WatchSource):
    """The objects of another source whose id matches; those of others are not built."""

    def __init__(self, source: WatchSource, pattern: IdPattern) -> None:
        self._source = source
        self._pattern = pattern
        self.triggers, self.lookups = source.triggers, source.lookups
        self.from_informers = source.from_informers

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the matching ids of the objects that an event may have changed."""
        return filter(self._pattern.matches, self._source.affected(type, old, new))

    def ids(self, view: View) -> Iterable[str]:
        """Return the matching ids of all objects."""
        return filter(self._pattern.matches, self._source.ids(view))

    def build(self, view: View, id: str) -> Resource | None:
        """Return an object as the other source builds it."""
        return self._source.build(view, id)

    def matches(self, resource: Resource) -> bool:
        """Return whether the rest of the query selects an object."""
        return self._source.matches(resource)

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to."""
        return self._source.owner(view, resource)
