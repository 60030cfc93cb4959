"""The removal of an object as an operation: what is the same of every resource's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from omni_gateway.http.problems import Problem
from omni_gateway.model.lookup import find
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.links import object_url
from omni_gateway.rest.operations import Operation, OperationKind, stages_in_order

#: Omni 1.7 destroys clusters, machine sets and links by itself, and nothing else.
UNHELD = "Nothing holds it any more. If it stays, send the DELETE again: an older Omni does not finish it by itself."
#: The stages of every removal.
RELEASED, REMOVED = "released by Omni's controllers", "removed"


Describe = Callable[[OmniClient, Resource], Operation]
"""Tells of the removal of an object that is being removed."""
Predicate = Callable[[OmniClient, Resource], bool]


def _tearing_down(omni: OmniClient, resource: Resource) -> bool:
    return resource.tearing_down


def removal(collection: str, singular: str, adapter: ResourceAdapter) -> OperationKind:
    """Return the operation kind ``<singular>-destroy`` of a resource, which tells what holds the object.

    Reading the operation never removes anything: where Omni leaves an object that nothing holds any more (1.7 does),
    the operation says that the DELETE is to be sent again.
    """
    found = partial(_found_by, adapter)
    listed = partial(_listed_by, adapter) if isinstance(adapter, OmniResourceAdapter) else None
    return _removal(singular, collection, found, listed, partial(_running, f"{singular}-destroy", collection))


def removal_of(
    type: str,
    singular: str,
    collection: str,
    describe: Describe,
    *,
    is_leaving: Predicate = _tearing_down,
) -> OperationKind:
    """Return the operation kind ``<singular>-destroy`` of Omni's objects of ``type``, as ``describe`` tells of it.

    ``is_leaving`` tells whether somebody removes an object that is there; the list of operations under way has those
    that are tearing down.
    """
    return _removal(
        singular, collection, partial(_found_in_omni, type), partial(_listed_in_omni, type), describe, is_leaving
    )


def _removal(
    singular: str,
    collection: str,
    found: Callable[[OmniClient, str], Resource | None],
    listed: Callable[[OmniClient], Iterable[Resource]] | None,
    describe: Describe,
    is_leaving: Predicate = _tearing_down,
) -> OperationKind:
    """Return a removal's operation kind: running while the object is tearing down.

    An object that is not there has been removed, as far as anybody can tell; one that nobody is removing has no such
    operation (404).
    """
    kind = f"{singular}-destroy"

    def read(omni: OmniClient, id: str) -> Operation:
        resource = found(omni, id)
        if resource is None:
            text = f"There is no such {singular} (any more)."
            return Operation(kind, id, "succeeded", text, target=object_url(collection, id))
        if not is_leaving(omni, resource):
            raise Problem(404, "not-found", f"{singular} {id!r} is not being removed.")
        return describe(omni, resource)

    text = f"A {singular} being removed; `succeeded` when it is not there"
    return OperationKind(kind, read, text, under_way=partial(_under_way, listed, describe) if listed else None)


def _under_way(
    listed: Callable[[OmniClient], Iterable[Resource]], describe: Describe, omni: OmniClient
) -> Iterable[Operation]:
    return (describe(omni, resource) for resource in listed(omni) if resource.tearing_down)


def _found_by(adapter: ResourceAdapter, omni: OmniClient, id: str) -> Resource | None:
    try:
        return current_gateway().bound(adapter).get(id)
    except MISSING:
        return None


def _listed_by(adapter: ResourceAdapter, omni: OmniClient) -> Iterable[Resource]:
    return current_gateway().reading(adapter).list(ListQuery()).items


def _found_in_omni(type: str, omni: OmniClient, id: str) -> Resource | None:
    return find(omni, type, id)


def _listed_in_omni(type: str, omni: OmniClient) -> Iterable[Resource]:
    return resources_of(omni.resources.list(type))


def _running(kind: str, collection: str, omni: OmniClient, resource: Resource) -> Operation:
    held = f"Held by {', '.join(sorted(resource.finalizers))}." if resource.finalizers else UNHELD
    return Operation(
        kind,
        resource.id,
        "running",
        held,
        target=object_url(collection, resource.id),
        details={"finalizers": list(resource.finalizers)},
        stages=stages_in_order([(RELEASED, not resource.finalizers), (REMOVED, False)], "running"),
    )
