"""A watch of machines: Omni's watches of their parts, made one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from omni_gateway.sdk import Change, OmniClient, Resource, TypedEvent, label_names, merge_watches, types
from resources.machine.join import Machine, cluster_of, join_shared, own_extensions

TYPES = (types.MACHINES, types.MACHINE_STATUSES, types.MACHINE_SET_NODES, types.EXTENSIONS_CONFIGURATIONS)
_SHARE_ID = frozenset(TYPES) - {types.EXTENSIONS_CONFIGURATIONS}


def watch_machines(
    omni: OmniClient, wanted: Callable[[Machine], bool], id: str = ""
) -> AbstractContextManager[Iterator[Change]]:
    """Follow the machines that ``wanted`` is true of, or the one of this ``id``; leaving the context ends it all."""
    step = partial(_changes, _Parts(), wanted, _SHARE_ID if id else frozenset())
    return merge_watches(omni, {type: _only(type, id) for type in TYPES}, step)


def _only(type: str, id: str) -> dict[str, Any]:
    """Hold a watch to one machine."""
    if not id:
        return {}
    return {"id": id} if type in _SHARE_ID else {"selectors": [f"{label_names.LABEL_CLUSTER_MACHINE} = {id}"]}


class _Parts:
    """The latest of every part, by type and id."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Resource]] = {type: {} for type in TYPES}
        self._own: dict[tuple[str, str], Resource] | None = None

    def take(self, type: str, part: Resource, *, gone: bool) -> str:
        """Note a part as it is now, or that it is gone; return the id of the machine that it is about."""
        if gone:
            self._held[type].pop(part.id, None)
        else:
            self._held[type][part.id] = part
        if type == types.EXTENSIONS_CONFIGURATIONS:
            self._own = None
            return part.labels.get(label_names.LABEL_CLUSTER_MACHINE, "")
        return part.id

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
        return join_shared(machine, status, node, self._own.get((cluster_of(status, node), id)))


def _changes(
    parts: _Parts,
    wanted: Callable[[Machine], bool],
    single: frozenset[str],
    said: Iterator[TypedEvent | None],
) -> Iterator[Change]:
    """Tell the present machines, a bookmark once every part is known, then each change of a joined machine.

    A watch of one object (its type is in ``single``) says at once what that object is, or that it is not, and no more.
    """
    told: dict[str, Machine] = {}
    unknown = set(TYPES)
    for each in said:
        if each is None:
            yield Change("idle")
            continue
        part = each.resource
        id = parts.take(each.type, part, gone=each.kind == "destroyed") if part is not None else ""
        if each.type in unknown:
            if not id or each.type in single:
                unknown.discard(each.type)
                yield from () if unknown else _present(parts, wanted, told)
        elif not unknown and id:
            yield from _difference(id, parts.machine(id), wanted, told)


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
