"""Mistakes about what several workers, and the cache, share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from omni_gateway.sdk import Listing, ListQuery, NotFound, Problem, Resource
from omni_gateway.sdk.adapters import StaleVersion

from ..sound import RackAdapter, TunnelAdapter, racks, tunnels
from .entry import Planted

#: Racks by id: gone at the end of the process, and each worker has its own.
RACKS: dict[str, Resource] = {}


class InMemory(RackAdapter):
    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        return [replace(item) for item in RACKS.values()]

    def get(self, id: str) -> Resource:
        if id not in RACKS:
            raise NotFound(id)
        return replace(RACKS[id])

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        now = datetime.now(UTC).isoformat()
        stored = replace(resource, type=self.type, namespace=self.namespace, created=now, updated=now)
        if RACKS.setdefault(resource.id, stored) is not stored:
            raise Problem(409, "exists", f"Object {resource.id!r} exists already.")

    def replace(self, resource: Resource) -> None:
        if RACKS[resource.id].version != resource.version:
            raise StaleVersion(resource.id)
        now = datetime.now(UTC).isoformat()
        RACKS[resource.id] = replace(resource, version=resource.version + 1, updated=now)

    def delete(self, resource: Resource) -> None:
        RACKS.pop(resource.id, None)


class Remembering(RackAdapter):
    """Reads each object from the store once; forgets it when this process writes it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._known: dict[str, Resource] = {}

    def get(self, id: str) -> Resource:
        if id not in self._known:
            self._known[id] = super().get(id)
        return replace(self._known[id])

    def replace(self, resource: Resource) -> None:
        self._known.pop(resource.id, None)
        super().replace(resource)
        self._known.pop(resource.id, None)

    def delete(self, resource: Resource) -> None:
        super().delete(resource)
        self._known.pop(resource.id, None)


class Dated(TunnelAdapter):
    cacheable_response = True  # answers are used again as long as Omni's objects stay

    def list(self, query: ListQuery) -> Listing:
        found = super().list(query)
        return Listing([self._dated(item) for item in found.items], found.total)

    def get(self, id: str) -> Resource:
        return self._dated(super().get(id))

    def _dated(self, item: Resource) -> Resource:
        return replace(item, annotations={**item.annotations, "example.org/read": str(time.time_ns())})


class MarkingWhatIsShared(TunnelAdapter):
    cacheable_response = True

    def list(self, query: ListQuery) -> Listing:
        found = super().list(query)
        for item in found.items:
            item.annotations["example.org/listed"] = "true"
        return found


held_in_the_process = racks("held-in-the-process", InMemory)
remembered_in_the_process = racks("remembered-in-the-process", Remembering)
cached_answer_differs = tunnels("cached-answer-differs", Dated)
changes_what_is_shared = tunnels("changes-what-is-shared", MarkingWhatIsShared)

PLANTED = [
    Planted(
        held_in_the_process,
        "objects are in a dict of the module",
        "each worker has all objects, and a restart loses none",
        found_by=("test_what_one_worker_has_written_every_worker_reads", "test_a_restart_keeps_what_was_written"),
    ),
    Planted(
        remembered_in_the_process,
        "the adapter remembers what it has read, and only this process's writes make it forget",
        "what one worker has written the others show",
        found_by=("test_what_one_worker_has_changed_every_worker_reads",),
    ),
    Planted(
        cached_answer_differs,
        "answers have the time in them, and `cacheable_response` says that they depend on Omni's objects alone",
        "an answer from the cache is the one without the cache",
        found_by=("test_a_cached_object_is_the_uncached_one_byte_for_byte",),
    ),
    Planted(
        changes_what_is_shared,
        "`list` adds an annotation to the objects that it was given, which all requests share",
        "an answer from the cache is the one without the cache",
        found_by=("test_a_change_of_omnis_own_is_listed_as_a_write_finds_it",),
    ),
]
