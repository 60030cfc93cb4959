"""The fleet's metrics of one scrape, from the informers of the worker that answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import orjson

from omni_gateway.api.fleet.exposition import Family, written
from omni_gateway.api.fleet.objects import COLLECTORS, PREFIX, Collector
from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import FRESH_SECONDS, Informers

_UP = Family(f"{PREFIX}up", "gauge", "1 if Omni answers and every collector succeeds")
_REACHABLE = Family(f"{PREFIX}reachable", "gauge", "1 if Omni answers the gateway")
_COLLECTORS = (
    Family(f"{PREFIX}collector_success", "gauge", "1 if the objects of the collector are shown", ["collector"]),
    Family(f"{PREFIX}collector_cached_resources", "gauge", "Objects that the gateway holds", ["collector"]),
    Family(
        f"{PREFIX}collector_last_sync_timestamp_seconds",
        "gauge",
        "Time of the last event, also long ago for objects that do not change",
        ["collector"],
    ),
    Family("omni_gateway_fleet_watch_up", "gauge", "1 while the watch of the objects is open", ["collector"]),
    Family(
        "omni_gateway_fleet_staleness_seconds",
        "gauge",
        "For how long the objects may have been behind Omni: since the last sign of Omni, or since their watch ended",
        ["collector"],
    ),
)
_MACHINES = Family("omni_machines", "gauge", "Machines")
_CONNECTED = Family("omni_connected_machines", "gauge", "Machines that are connected to Omni")
_VERSIONS = Family("omni_machines_version", "gauge", "Machines by version", ["talos_version", "cluster", "connected"])
_PLATFORMS = Family("omni_machine_platforms", "gauge", "Machines by platform", ["platform"])
_CLUSTERS = Family("omni_clusters", "gauge", "Clusters by phase", ["phase"])
_CLUSTER_MACHINES = Family("omni_cluster_machines", "gauge", "Clusters' machines by stage", ["stage"])
_OPERATIONS = Family("omni_gateway_operations", "gauge", "Long-running work that is listed", ["kind", "state"])


class FleetMetrics:
    """The metrics of an application's fleet; an object's lines are rendered once for each of its versions."""

    def __init__(self, cache: Informers) -> None:
        self._cache = cache
        self._types = {collector.name: _ObjectsOfType(collector) for collector in COLLECTORS}
        self._lock = threading.Lock()
        self._used_at = 0.0

    def exposition(
        self, operations: Callable[[], Mapping[tuple[str, ...], int]] | None = None, *, machines: bool = True
    ) -> bytes:
        """Return all metrics; without ``machines`` no series of single machines.

        ``operations`` counts them, by kind and state.

        Starts the informers that are missing, and waits for their first list for two seconds at most. Objects of a type
        that was not listed yet, and of an Omni that does not answer, are left out: their absence is no statement.
        """
        self._start()
        parts: list[bytes] = []
        heads: list[list[bytes]] = []
        facts: dict[str, Counter[tuple[str, ...]]] = {}
        reachable, up = False, True
        # One scrape at a time: two would write the same lines twice.
        with self._lock:
            self._used_at = self._cache.now()
            for collector in COLLECTORS:
                informer = self._cache.existing(collector.type, collector.type.namespace)
                listed = informer is not None and bool(informer.relists)
                answers = informer is not None and listed and self._cache.age(informer) <= FRESH_SECONDS
                reachable, up = reachable or answers, up and answers
                heads.append(self._state(collector, informer, listed=listed, success=answers))
                if informer is None or not answers:
                    continue
                objects = self._types[collector.name]
                objects.update(_items(informer))
                facts[collector.name] = objects.facts
                if machines or not collector.of_machines:
                    parts.extend(written(collector.families, objects.lines()))
        parts += [_totals(facts), *written(_COLLECTORS, heads)]
        if reachable and operations is not None:
            parts.append(_written(_OPERATIONS, _OPERATIONS.counts(operations())))
        parts += [_written(_REACHABLE, _REACHABLE.line(reachable)), _written(_UP, _UP.line(up))]
        return b"".join(parts)

    def drop_unused(self) -> None:
        """Drop the rendered lines once there was no scrape for as long as an informer is kept without a read."""
        if not self._lock.acquire(blocking=False):
            return  # there is a scrape now
        try:
            if self._cache.now() - self._used_at > self._cache.idle_seconds:
                self._types = {collector.name: _ObjectsOfType(collector) for collector in COLLECTORS}
        finally:
            self._lock.release()

    def _start(self) -> None:
        """Start the informers that are missing, all of them before the first one is waited for."""
        for collector in COLLECTORS:
            self._cache.informer(collector.type, collector.type.namespace)
        for collector in COLLECTORS:
            informer = self._cache.existing(collector.type, collector.type.namespace)
            if informer is not None and not informer.relists:
                informer.wait_for_sync()

    def _state(self, collector: Collector, informer: Informer | None, *, listed: bool, success: bool) -> list[bytes]:
        held = informer.object_count if informer is not None else 0
        lines = [_COLLECTORS[0].line(success, collector.name), _COLLECTORS[1].line(held, collector.name), "", "", ""]
        if informer is not None and listed:
            last_event = time.time() - (self._cache.now() - informer.last_event_at)
            lines[2] = _COLLECTORS[2].line(int(last_event), collector.name)
            lines[3] = _COLLECTORS[3].line(informer.ready, collector.name)
            lines[4] = _COLLECTORS[4].line(round(self._cache.staleness(informer), 3), collector.name)
        return [line.encode() for line in lines]


class _ObjectsOfType:
    """The rendered lines of a type's objects, by id."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._known: dict[str, _Written] = {}
        self._items: Sequence[CachedObject] = ()
        #: How many objects there are of the same facts.
        self.facts: Counter[tuple[str, ...]] = Counter()

    def update(self, items: Sequence[CachedObject]) -> None:
        """Take the present objects; does nothing for the sequence that it has."""
        if items is self._items:
            return
        known, self._items = self._known, items
        self._known = {
            item.id: entry
            if (entry := known.get(item.id)) is not None and entry.item is item
            else _Written(item, self._collector)
            for item in items
        }
        self.facts = Counter([entry.facts for entry in self._known.values()])

    def lines(self) -> Iterable[Sequence[bytes]]:
        """Return the lines of each object."""
        return [entry.lines or entry.write(self._collector) for entry in self._known.values()]


class _Written:
    """An object's facts, and its lines once they are asked for."""

    __slots__ = ("facts", "item", "lines")

    def __init__(self, item: CachedObject, collector: Collector) -> None:
        self.item = item
        self.facts = collector.facts(_spec(item))
        self.lines: Sequence[bytes] = ()

    def write(self, collector: Collector) -> Sequence[bytes]:
        """Write the lines, and return them."""
        self.lines = tuple(line.encode() for line in collector.lines(self.item, _spec(self.item)))
        return self.lines


def _spec(item: CachedObject) -> Mapping[str, object]:
    return orjson.loads(item.text)["spec"] or {}


def _items(informer: Informer) -> Sequence[CachedObject]:
    snapshot = informer.snapshot()
    # While the watch is opened anew: the objects from before it ended; their staleness tells.
    return snapshot.items if snapshot is not None else informer.items()


def _totals(facts: Mapping[str, Counter[tuple[str, ...]]]) -> bytes:
    parts = []
    if (machines := facts.get("machines")) is not None:
        connected = sum(number for each, number in machines.items() if each[2] == "true")
        versions: Counter[tuple[str, ...]] = Counter()
        platforms: Counter[tuple[str, ...]] = Counter()
        for (version, cluster, is_connected, platform), number in machines.items():
            versions[version, cluster, is_connected] += number
            platforms[platform,] += number
        parts += [
            _written(_MACHINES, _MACHINES.line(machines.total())),
            _written(_CONNECTED, _CONNECTED.line(connected)),
            _written(_VERSIONS, _VERSIONS.counts(versions)),
            _written(_PLATFORMS, _PLATFORMS.counts(platforms)),
        ]
    for name, family in (("clusters", _CLUSTERS), ("cluster_machines", _CLUSTER_MACHINES)):
        if name in facts:
            parts.append(_written(family, family.counts(facts[name])))
    return b"".join(parts)


def _written(family: Family, lines: str) -> bytes:
    return family.head + lines.encode() if lines else b""


#: All families, in the order in which they are documented.
FAMILIES: Sequence[Family] = (
    *(family for collector in COLLECTORS for family in collector.families),
    *(_MACHINES, _CONNECTED, _VERSIONS, _PLATFORMS, _CLUSTERS, _CLUSTER_MACHINES, _OPERATIONS),
    *_COLLECTORS,
    *(_REACHABLE, _UP),
)
