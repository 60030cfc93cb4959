"""The removal of an object as an operation: for every resource that brings no better one of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from omni_gateway.http.problems import Problem
from omni_gateway.omni import OmniClient
from omni_gateway.sdk.adapter import ResourceAdapter
from omni_gateway.sdk.context import current_gateway
from omni_gateway.sdk.errors import MISSING
from omni_gateway.sdk.exchange import ListQuery
from omni_gateway.sdk.links import object_url
from omni_gateway.sdk.omni_adapter import OmniResourceAdapter
from omni_gateway.sdk.operations import Operation, OperationKind, stages_in_order
from omni_gateway.sdk.resource import Resource

#: Omni 1.7 destroys clusters, machine sets and links by itself, and nothing else.
UNHELD = "Nothing holds it any more. If it stays, send the DELETE again: an older Omni does not finish it by itself."
#: The stages of every removal.
RELEASED, REMOVED = "released by Omni's controllers", "removed"


def removal(collection: str, singular: str, adapter: ResourceAdapter) -> OperationKind:
    """Return the operation kind ``<singular>-destroy``: running while the object is tearing down.

    An object that is not there has been removed, as far as anybody can tell; one that nobody is removing has no such
    operation (404). Reading the operation never removes anything: where Omni leaves an object that nothing holds any
    more (1.7 does), the operation says that the DELETE is to be sent again.
    """
    kind = f"{singular}-destroy"
    read = partial(_read, kind, collection, adapter)
    listed = partial(_under_way, kind, collection, adapter) if isinstance(adapter, OmniResourceAdapter) else None
    return OperationKind(kind, read, f"A {singular} being removed; `succeeded` when it is not there", under_way=listed)


def _read(kind: str, collection: str, adapter: ResourceAdapter, omni: OmniClient, id: str) -> Operation:
    target = object_url(collection, id)
    bound = current_gateway().bound(adapter)
    try:
        resource = bound.get(id)
    except MISSING:
        return Operation(kind, id, "succeeded", "There is no such object (any more).", target=target)
    if not resource.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing {id!r}.")
    return _running(kind, target, resource)


def _running(kind: str, target: str, resource: Resource) -> Operation:
    held = f"Held by {', '.join(sorted(resource.finalizers))}." if resource.finalizers else UNHELD
    return Operation(
        kind,
        resource.id,
        "running",
        held,
        target=target,
        details={"finalizers": list(resource.finalizers)},
        started=resource.updated,
        stages=stages_in_order([(RELEASED, not resource.finalizers), (REMOVED, False)], "running"),
    )


def _under_way(kind: str, collection: str, adapter: ResourceAdapter, omni: OmniClient) -> Iterable[Operation]:
    """Return the removals that Omni has begun and not ended."""
    for resource in current_gateway().reading(adapter).list(ListQuery()).items:
        if resource.tearing_down:
            yield _running(kind, object_url(collection, resource.id), resource)
