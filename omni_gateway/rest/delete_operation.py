"""The operation that follows a DELETE: the parts that all resources share."""

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
from omni_gateway.rest.nouns import with_article
from omni_gateway.rest.operations import Operation, OperationKind, stages_in_order

#: For an object without finalizers. Omni 1.7 finishes the removal of clusters, machine sets and links only.
UNHELD = (
    "It has no finalizers any more. If it stays, send the DELETE again: an older Omni does not finish it by itself."
)
#: The stages of every removal.
RELEASED, REMOVED = "released by Omni's controllers", "removed"


Describe = Callable[[OmniClient, Resource], Operation]
"""Returns the operation for an object that is being removed."""
Predicate = Callable[[OmniClient, Resource], bool]


def _tearing_down(omni: OmniClient, resource: Resource) -> bool:
    return resource.tearing_down


def removal(collection: str, singular: str, adapter: ResourceAdapter, title: str) -> OperationKind:
    """Return the operation kind ``<singular>-destroy`` of a resource; its operations show the object's finalizers.

    ``title`` are the words for one object.

    Reading the operation never removes anything: where Omni leaves an object without finalizers (1.7 does), the
    operation's progress asks to send the DELETE again.
    """
    find_object = partial(_find_by_adapter, adapter)
    list_objects = partial(_list_by_adapter, adapter) if isinstance(adapter, OmniResourceAdapter) else None
    describe = partial(_running, f"{singular}-destroy", collection)
    return _removal(singular, title, collection, find_object, list_objects, describe)


def removal_of(
    type: str,
    singular: str,
    collection: str,
    describe: Describe,
    *,
    title: str = "",
    is_leaving: Predicate = _tearing_down,
) -> OperationKind:
    """Return the operation kind ``<singular>-destroy`` of the objects of one of Omni's types.

    :param type: Omni's resource type.
    :param singular: the word for one object, e.g. ``machineset``.
    :param collection: the first segments of the objects' URLs.
    :param describe: called as ``describe(omni, resource)``, returns the operation for an object that is being removed.
    :param title: the words for one object in texts, e.g. ``machine set``; by default those of ``singular``.
    :param is_leaving: called as ``is_leaving(omni, resource)``, returns whether an existing object is being removed; by
        default whether it is tearing down. The list of operations has the objects that are tearing down.
    """

    def find_object(omni: OmniClient, id: str) -> Resource | None:
        return find(omni, type, id)

    def list_objects(omni: OmniClient) -> Iterable[Resource]:
        return resources_of(omni.resources.list(type))

    title = title or singular.replace("-", " ")
    return _removal(singular, title, collection, find_object, list_objects, describe, is_leaving)


def _removal(
    singular: str,
    title: str,
    collection: str,
    find_object: Callable[[OmniClient, str], Resource | None],
    list_objects: Callable[[OmniClient], Iterable[Resource]] | None,
    describe: Describe,
    is_leaving: Predicate = _tearing_down,
) -> OperationKind:
    """Return a removal's operation kind: its operations run while the object is being removed.

    The operation of a missing object has succeeded: whether it ever existed is not known. An object that is not being
    removed has no such operation (404).
    """
    kind = f"{singular}-destroy"

    def read(omni: OmniClient, id: str) -> Operation:
        resource = find_object(omni, id)
        if resource is None:
            text = f"There is no such {title} (any more)."
            return Operation(kind, id, "succeeded", text, target=object_url(collection, id))
        if not is_leaving(omni, resource):
            raise Problem(404, "not-found", f"The {title} {id!r} is not being removed.")
        return describe(omni, resource)

    text = f"Removal of {with_article(title)}; `succeeded` when it does not exist"
    under_way = partial(_under_way, list_objects, describe) if list_objects else None
    return OperationKind(kind, read, text, under_way=under_way)


def _under_way(
    list_objects: Callable[[OmniClient], Iterable[Resource]], describe: Describe, omni: OmniClient
) -> Iterable[Operation]:
    return (describe(omni, resource) for resource in list_objects(omni) if resource.tearing_down)


def _find_by_adapter(adapter: ResourceAdapter, omni: OmniClient, id: str) -> Resource | None:
    try:
        return current_gateway().bound(adapter).get(id)
    except MISSING:
        return None


def _list_by_adapter(adapter: ResourceAdapter, omni: OmniClient) -> Iterable[Resource]:
    return current_gateway().reading(adapter).list(ListQuery()).items


def _running(kind: str, collection: str, omni: OmniClient, resource: Resource) -> Operation:
    progress = f"Held by {', '.join(sorted(resource.finalizers))}." if resource.finalizers else UNHELD
    return Operation(
        kind,
        resource.id,
        "running",
        progress,
        target=object_url(collection, resource.id),
        details={"finalizers": list(resource.finalizers)},
        stages=stages_in_order([(RELEASED, not resource.finalizers), (REMOVED, False)], "running"),
    )
