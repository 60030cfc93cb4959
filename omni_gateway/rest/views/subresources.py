"""Views of sub-resources: GET of an object or a list below another object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from omni_gateway.http.concealment import PlainNotFound
from omni_gateway.http.guard import check_role
from omni_gateway.http.omni_errors import TOO_EARLY_RETRY_SECONDS
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import unscoped, within_reach
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.parameters import parse_fields
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.subresources import SubCollection, SubResource
from omni_gateway.rest.views.collection import Collection
from omni_gateway.rest.views.responses import object_response
from omni_gateway.rest.views.watch import watch_response
from omni_gateway.watch import stream_response


def subresource_view(
    parent: ResourceAdapter, sub: SubResource, representation: Representation
) -> Callable[..., Response]:
    """Return the view of a single sub-resource.

    Where the sub-resource is missing it responds with ``sub.absent``, or 404; see :class:`SubResource`.
    """

    def get(arguments: Mapping[str, Any], id: str) -> Response:
        gateway = current_gateway()
        viewed = representation.views[arguments["view"]]
        fields = parse_fields(arguments.get("fields"), viewed.known_fields)
        # The sub-resource may lack a cluster label, so the caller's scope is checked on its parent.
        within_reach(gateway.reading(parent), id)
        adapter = unscoped(gateway.reading(sub.adapter))
        media = stream_response.negotiate(request)
        if media is not None:
            return watch_response(adapter, viewed, ListQuery(), media, fields, id=sub.id(id))
        try:
            resource = adapter.get(sub.id(id))
        except MISSING:
            owner = gateway.reading(parent).get(id)
            if sub.absent is None:
                raise _absent(sub, owner) from None
            resource = sub.absent(id)
        return object_response(viewed, resource, fields=fields)

    return get


def _absent(sub: SubResource, owner: Resource) -> Problem:
    """Return the 404 for a missing sub-resource of an existing object."""
    if owner.tearing_down:
        return PlainNotFound(f"{owner.id!r} is being removed, and Omni has no {sub.name} for it any more.")
    if sub.comes_later:
        text = f"{owner.id!r} exists, but Omni has not created its {sub.name} yet."
        return PlainNotFound(text, headers={"Retry-After": str(TOO_EARLY_RETRY_SECONDS)}, code="not-yet")
    return PlainNotFound(f"{owner.id!r} exists, but Omni has no {sub.name} for it at present.")


def sublist_view(parent: ResourceAdapter, collection: Collection, filter: str) -> Callable[..., Response]:
    """Return the view of the objects that belong to a parent: ``collection``, filtered by the parent's id.

    The view raises the back end's not-found error if the parent does not exist. ``filter`` is the name of the filter.
    """

    def get(arguments: Mapping[str, Any], id: str) -> Response:
        current_gateway().reading(parent).get(id)
        return collection.answer(arguments, {filter: id})

    return get


def subcollection_view(parent: ResourceAdapter, sub: SubCollection) -> Callable[..., Response]:
    """Return the view of another plugin's list, filtered by the parent's id.

    The view requires that plugin's ``list`` role. It raises the back end's not-found error if the parent does not exist
    and 501 if the plugin is not loaded.
    """

    def get(arguments: Mapping[str, Any], id: str) -> Response:
        gateway = current_gateway()
        gateway.reading(parent).get(id)
        other = gateway.plugins.get(sub.plugin)
        if other is None or (collection := other.collection) is None:
            raise Problem(501, "not-implemented", f"The plugin {sub.plugin!r} is not loaded here.")
        check_role(other.roles["list"], authorized_by_omni=other.adapter.authorized_by_omni)
        return collection.answer(arguments, {sub.filter: id})

    return get
