"""A watch of machines: Omni's watches of their parts, made one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from omni_gateway.sdk import Change, OmniClient, OmniError, Resource, names, types
from resources.machine.join import Machine, cluster_of, join, own_extensions

TYPES = (types.MACHINES, types.MACHINE_STATUSES, types.MACHINE_SET_NODES, types.EXTENSIONS_CONFIGURATIONS)
_SHARE_ID = frozenset(TYPES) - {types.EXTENSIONS_CONFIGURATIONS}
_BUFFERED = 1024
_PUT_SECONDS = 0.5

_Said = tuple[str, Any]


@contextmanager
def watch_machines(omni: OmniClient, wanted: Callable[[Machine], bool], id: str = "") -> Iterator[Iterator[Change]]:
    """Follow the machines that ``wanted`` is true of, or the one of this ``id``; leaving the context ends it all."""
    said: queue.Queue[_Said] = queue.Queue(_BUFFERED)
    closed = threading.Event()
    with ExitStack() as stack:
        stack.callback(closed.set)
        for type in TYPES:
            stream = stack.enter_context(omni.resources.watch(type, **_only(type, id)))
            threading.Thread(target=_feed, args=(type, stream, said, closed), name=f"watch-{type}", daemon=True).start()
        yield _changes(_Parts(), said, closed, wanted, single=_SHARE_ID if id else frozenset())


def _only(type: str, id: str) -> dict[str, Any]:
    """Hold a watch to one machine."""
    if not id:
        return {}
    return {"id": id} if type in _SHARE_ID else {"selectors": [f"{names.LABEL_CLUSTER_MACHINE} = {id}"]}


def _feed(type: str, stream: Iterator[Any], said: queue.Queue[_Said], closed: threading.Event) -> None:
    """Carry one watch's events into the common queue; a reader that is slow slows it down."""
    try:
        for event in stream:
            _put(said, closed, (type, event))
        _put(said, closed, (type, StopIteration()))
    except OmniError as error:
        _put(said, closed, (type, error))


def _put(said: queue.Queue[_Said], closed: threading.Event, entry: _Said) -> None:
    while not closed.is_set():
        try:
            said.put(entry, timeout=_PUT_SECONDS)
        except queue.Full:
            continue
        return


class _Parts:
    """The latest of every part, by type and id."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Resource]] = {type: {} for type in TYPES}
        self._own: dict[tuple[str, str], Resource] | None = None

    def take(self, type: str, event: Any) -> str:
        """Note what an event says and return the id of the machine that it is about."""
        body = cast("Mapping[str, Any]", event.resource if event.resource is not None else event.old)
        metadata = body["metadata"]
        id = str(metadata["id"])
        if event.kind == "destroyed":
            self._held[type].pop(id, None)
        else:
            self._held[type][id] = Resource.from_omni(body)
        if type == types.EXTENSIONS_CONFIGURATIONS:
            self._own = None
            return str((metadata.get("labels") or {}).get(names.LABEL_CLUSTER_MACHINE, ""))
        return id

    def ids(self) -> list[str]:
        """Return the ids of all machines, in order."""
        return sorted(self._held[types.MACHINES])

    def machine(self, id: str) -> Machine | None:
        """Join what is known of a machine; None when there is no such machine."""
        machine = self._held[types.MACHINES].get(id)
        if machine is None:
            return None
        status, node = (self._held[type].get(id) for type in (types.MACHINE_STATUSES, types.MACHINE_SET_NODES))
        if self._own is None:
            self._own = own_extensions(self._held[types.EXTENSIONS_CONFIGURATIONS].values())
        return join(machine, status, node, self._own.get((cluster_of(status, node), id)))


def _changes(
    parts: _Parts,
    said: queue.Queue[_Said],
    closed: threading.Event,
    wanted: Callable[[Machine], bool],
    single: frozenset[str],
) -> Iterator[Change]:
    """Tell the present machines, a bookmark once every part is known, then each change of a joined machine.

    A watch of one object (its type is in ``single``) says at once what that object is, or that it is not, and no more.
    """
    told: dict[str, Machine] = {}
    unknown = set(TYPES)
    while (next_said := _next(said, closed)) is not None:
        type, event = next_said
        id = parts.take(type, event) if event.kind != "bootstrapped" else ""
        if type in unknown:
            if not id or type in single:
                unknown.discard(type)
                yield from () if unknown else _present(parts, wanted, told)
        elif not unknown and id:
            yield from _difference(id, parts.machine(id), wanted, told)


def _next(said: queue.Queue[_Said], closed: threading.Event) -> _Said | None:
    """Wait for the next event; None when the watch was closed, the error when one of Omni's watches ended badly."""
    while not closed.is_set():
        try:
            type, event = said.get(timeout=_PUT_SECONDS)
        except queue.Empty:
            continue
        if isinstance(event, StopIteration):
            return None
        if isinstance(event, OmniError):
            raise event
        return type, event
    return None


def _present(parts: _Parts, wanted: Callable[[Machine], bool], told: dict[str, Machine]) -> Iterator[Change]:
    for id in parts.ids():
        yield from _difference(id, parts.machine(id), wanted, told)
    yield Change("bookmark")


def _difference(
    id: str, machine: Machine | None, wanted: Callable[[Machine], bool], told: dict[str, Machine]
) -> Iterator[Change]:
    """Tell what a machine's new state means to this watch: one that is no longer wanted has gone from it."""
    before = told.get(id)
    if machine is None or not wanted(machine):
        if before is not None:
            yield Change("deleted", told.pop(id))
        return
    if before is None or (before.created, before.version) != (machine.created, machine.version):
        told[id] = machine
        yield Change("added" if before is None else "modified", machine)
