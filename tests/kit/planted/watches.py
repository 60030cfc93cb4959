"""Mistakes in watches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import ListQuery, Resource
from omni_gateway.sdk.adapters import Change, OmniSource, WatchedType

from ..sound import RackAdapter, TunnelAdapter, racks, tunnels
from .entry import Planted

SECONDS = 0.3


class OwnWatch(RackAdapter):
    """A watch of its own that looks each 0.3 s; this much of it is right."""

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        yield self.changes(query, id)

    def changes(self, query: ListQuery, id: str) -> Iterator[Change]:
        raise NotImplementedError

    def present(self, query: ListQuery, id: str) -> dict[str, Resource]:
        items = super().list(ListQuery() if id else replace(query, offset=0, limit=0)).items
        return {item.id: item for item in items if not id or item.id == id}

    def differences(self, known: dict[str, Resource], query: ListQuery, id: str) -> Iterator[Change]:
        while True:
            time.sleep(SECONDS)
            now = self.present(query, id)
            yield from (Change("deleted", item) for key, item in known.items() if key not in now)
            for key, item in now.items():
                if key not in known:
                    yield Change("added", item)
                elif known[key].version != item.version:
                    yield Change("modified", item)
            known = now


class WithGap(OwnWatch):
    def changes(self, query: ListQuery, id: str) -> Iterator[Change]:
        yield from (Change("added", item) for item in self.present(query, id).values())
        yield Change("bookmark")
        time.sleep(SECONDS)
        yield from self.differences(self.present(query, id), query, id)  # what came since the first look is lost


class WithoutBookmark(OwnWatch):
    def changes(self, query: ListQuery, id: str) -> Iterator[Change]:
        known = self.present(query, id)
        yield from (Change("added", item) for item in known.values())
        yield from self.differences(known, query, id)


class WithoutDeletions(OwnWatch):
    def changes(self, query: ListQuery, id: str) -> Iterator[Change]:
        known = self.present(query, id)
        yield from (Change("added", item) for item in known.values())
        yield Change("bookmark")
        yield from (change for change in self.differences(known, query, id) if change.kind != "deleted")


class OfAll(RackAdapter):
    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        return self.polled(ListQuery(), id)


class AlwaysTheFirst(RackAdapter):
    """Its back end has no versions, so each object says 1."""

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        return [replace(item, version=1) for item in super().items(filters)]

    def get(self, id: str) -> Resource:
        return replace(super().get(id), version=1)

    def replace(self, resource: Resource) -> None:
        super().replace(replace(resource, version=super().get(resource.id).version))

    def delete(self, resource: Resource) -> None:
        super().delete(super().get(resource.id))


class SourceOfAll(OmniSource):
    def __init__(self, adapter: TunnelAdapter, query: ListQuery, id: str) -> None:
        super().__init__(adapter, query, id)
        # Where no informer serves the watch yet, Omni evaluates the selectors of these.
        self.triggers = (WatchedType(adapter.type, adapter.namespace),)

    def matches(self, resource: Resource) -> bool:
        return True


class WatchedWhole(TunnelAdapter):
    watch_source_class = SourceOfAll


watch_with_a_gap = racks("watch-with-a-gap", WithGap)
watch_without_a_bookmark = racks("watch-without-a-bookmark", WithoutBookmark)
watch_without_deletions = racks("watch-without-deletions", WithoutDeletions)
watch_ignores_the_selector = racks("watch-ignores-the-selector", OfAll)
source_ignores_the_selector = tunnels("source-ignores-the-selector", WatchedWhole)
version_stays = racks("version-stays", AlwaysTheFirst)

PLANTED = [
    Planted(
        watch_with_a_gap,
        "the watch looks again after the bookmark, and tells what differs from that",
        "a watch misses no change after its bookmark",
        found_by=("test_a_watch_sends_a_change",),
    ),
    Planted(
        watch_without_a_bookmark,
        "no bookmark follows the present objects; the engine waits for it with all of them",
        "a watch begins with the present objects and a bookmark",
        found_by=("test_a_watch_begins_with_the_objects_that_are_there",),
    ),
    Planted(
        watch_without_deletions,
        "the watch tells of no deletion",
        "a watch tells of each change, deletions too",
        found_by=("test_a_watch_sends_a_removal",),
    ),
    Planted(
        watch_ignores_the_selector,
        "the watch takes no notice of its query",
        "a watch has the objects that the list of the same query has",
        found_by=("test_a_watch_with_a_selector_sends_what_enters_and_leaves_the_selection",),
    ),
    Planted(
        source_ignores_the_selector,
        "`matches` of the watch source takes all",
        "a watch has the objects that the list of the same query has",
        found_by=("test_a_watch_with_a_selector_sends_what_enters_and_leaves_the_selection",),
    ),
    Planted(
        version_stays,
        "objects have version 1 for ever",
        "of changes that are made at once none is lost, and a caller can tell one state from another",
        found_by=("test_a_change_of_an_object_raises_its_version",),
    ),
]
