"""The watch of machines: Omni's watches of the four types of parts, merged and joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from omni_gateway.sdk import OmniClient, Resource
from omni_gateway.sdk.adapters import Change, TypedEvent, merge_watches
from omni_gateway.sdk.omni import label_names, types
from resources.machine.join import Machine, cluster_of, join_shared, own_extensions

TYPES = (types.MACHINES, types.MACHINE_STATUSES, types.MACHINE_SET_NODES, types.EXTENSIONS_CONFIGURATIONS)
_SHARE_ID = frozenset(TYPES) - {types.EXTENSIONS_CONFIGURATIONS}


def watch_machines(
    omni: OmniClient, wanted: Callable[[Machine], bool], id: str = ""
) -> AbstractContextManager[Iterator[Change]]:
    """Follow the machines that ``wanted`` selects, or the machine ``id``, until the context is left."""
    step = partial(_changes, _Parts(), wanted, _SHARE_ID if id else frozenset())
    return merge_watches(omni, {type: _only(type, id) for type in TYPES}, step)


def _only(type: str, id: str) -> dict[str, Any]:
    """Return the options that limit a watch to one machine; none without an id."""
    if not id:
        return {}
    return {"id": id} if type in _SHARE_ID else {"selectors": [f"{label_names.LABEL_CLUSTER_MACHINE} = {id}"]}


class _Parts:
    """The latest version of every part, by type and id."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, Resource]] = {type: {} for type in TYPES}
        self._own: dict[tuple[str, str], Resource] | None = None

    def apply(self, type: str, part: Resource, *, gone: bool) -> str:
        """Store a part, or remove it if ``gone``; return the id of its machine."""
        if gone:
            self._parts[type].pop(part.id, None)
        else:
            self._parts[type][part.id] = part
        if type == types.EXTENSIONS_CONFIGURATIONS:
            self._own = None  # depends on all configurations, so it is computed anew on the next read
            return part.labels.get(label_names.LABEL_CLUSTER_MACHINE, "")
        return part.id

    def ids(self) -> list[str]:
        """Return the ids of all machines, in order."""
        return sorted(self._parts[types.MACHINES])

    def machine(self, id: str) -> Machine | None:
        """Join the known parts of a machine; None if there is no such machine."""
        machine = self._parts[types.MACHINES].get(id)
        if machine is None:
            return None
        status, node = (self._parts[type].get(id) for type in (types.MACHINE_STATUSES, types.MACHINE_SET_NODES))
        if self._own is None:
            self._own = own_extensions(self._parts[types.EXTENSIONS_CONFIGURATIONS].values())
        return join_shared(machine, status, node, self._own.get((cluster_of(status, node), id)))


def _changes(
    parts: _Parts,
    wanted: Callable[[Machine], bool],
    single: frozenset[str],
    events: Iterator[TypedEvent | None],
) -> Iterator[Change]:
    """Yield the existing machines, a bookmark once every part is known, then each change of a joined machine.

    A watch of one object (its type is in ``single``) has no bookmark: its first event, the object or its absence, is
    the whole state.
    """
    sent: dict[str, Machine] = {}
    unknown = set(TYPES)
    for event in events:
        if event is None:
            yield Change("idle")
            continue
        part = event.resource
        id = parts.apply(event.type, part, gone=event.kind == "destroyed") if part is not None else ""
        if event.type in unknown:
            if not id or event.type in single:
                unknown.discard(event.type)
                yield from () if unknown else _present(parts, wanted, sent)
        elif not unknown and id:
            yield from _difference(id, parts.machine(id), wanted, sent)


def _present(parts: _Parts, wanted: Callable[[Machine], bool], sent: dict[str, Machine]) -> Iterator[Change]:
    for id in parts.ids():
        yield from _difference(id, parts.machine(id), wanted, sent)
    yield Change("bookmark")


def _difference(
    id: str, machine: Machine | None, wanted: Callable[[Machine], bool], sent: dict[str, Machine]
) -> Iterator[Change]:
    """Yield the change from the machine last sent; one that is no longer wanted is sent as deleted."""
    before = sent.get(id)
    if machine is None or not wanted(machine):
        if before is not None:
            yield Change("deleted", sent.pop(id))
        return
    if before is None or (before.created, before.version) != (machine.created, machine.version):
        sent[id] = machine
        yield Change("added" if before is None else "modified", machine)
