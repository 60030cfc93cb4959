"""Add a declared plugin's routes to its blueprint: the collection, its objects and their sub-resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from flask.views import MethodView

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.links import LinkMaker, object_url
from omni_gateway.rest.operations import OperationKind, OperationSchema
from omni_gateway.rest.parameters import Filter, ReadQuery, WriteQuery, list_query_schema
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource
from omni_gateway.rest.views import collection, create, item, subresources
from omni_gateway.rest.views.collection import Collection
from omni_gateway.rest.views.openapi import (
    DRY_RUN,
    FAILED_PRECONDITION,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_NONE_MATCH_PUT,
    IF_NONE_MATCH_WRITE,
    View,
    documented,
    or_dry_run,
)

STREAMS = ("text/event-stream", "application/x-ndjson")
LIST_HEADERS = ("ETag", "X-Pagination", "Link", "X-Resume-Point", "Cache-Status")
_WATCHABLE = "With `Accept: text/event-stream` or `application/x-ndjson` the answer is a stream of changes."
#: The items of a sub-collection are another plugin's objects; its schema is not known when this plugin is made.
_ARRAY_OF_OBJECTS: Any = {"type": "array", "items": {"type": "object"}}
WRITE_PROBLEMS = {
    404: "No such object",
    409: "The object is tearing down, or other writers changed it at every attempt",
    412: FAILED_PRECONDITION,
    422: "A field or parameter is invalid, or Omni rejects the value",
}


class Declaration(Protocol):
    """The part of :class:`omni_gateway.rest.plugin.ResourcePlugin` that its routes are built from."""

    name: str
    singular: str
    singleton: str
    schema: ResourceSchema
    adapter: ResourceAdapter
    roles: Mapping[str, Role]
    filters: Sequence[Filter]
    subresources: Sequence[SubResource | SubList | SubCollection]
    representation: Representation
    collection: Collection
    blueprint: GatewayBlueprint
    delete_operation: OperationKind | None
    follow_up_operation: OperationKind | None
    create_operation: OperationKind | None
    create_may_return_existing: bool
    example: Mapping[str, Any] | None
    delete_query: type[WriteQuery]

    @property
    def plural_id(self) -> str:
        """Return the plural form used in operationIds."""

    @property
    def singular_id(self) -> str:
        """Return the singular form used in operationIds."""


def mount(plugin: Declaration) -> None:
    """Add a route for each verb that has a role and for each sub-resource.

    Called once per plugin, when the plugin is made.
    """
    routes = _singleton_routes() if plugin.singleton else _ROUTES
    for rule, name, verbs in routes:
        methods = {method: make(plugin) for verb, (method, make) in verbs.items() if verb in plugin.roles}
        _add(plugin, rule, name, methods)
    parent_rule = "" if plugin.singleton else "/<id>"
    for sub in plugin.subresources:
        _add(plugin, f"{parent_rule}/{sub.name}", sub.name, {"get": _subresource(plugin, sub)})


def _add(plugin: Declaration, rule: str, name: str, methods: Mapping[str, View]) -> None:
    attributes = {method: _as_method(view) for method, view in methods.items()}
    if attributes:
        view_class = type(f"{plugin.plural_id}_{name}", (MethodView,), attributes)
        # A singleton's URL has no variable, so its fixed id reaches the view as a default.
        defaults = {"id": plugin.singleton} if plugin.singleton and name != "Collection" else {}
        plugin.blueprint.add_url_rule(rule, endpoint=name, view_func=view_class, defaults=defaults)


def _as_method(view: View) -> Any:
    """Return a view as a static method: MethodView would pass itself, and our views are plain functions."""
    return staticmethod(view)


def _item(plugin: Declaration) -> item.Item:
    if not _put_may_create(plugin):
        return item.Item(plugin.adapter, plugin.representation)
    return item.Item(plugin.adapter, plugin.representation, _creation(plugin), lambda: plugin.roles["create"])


def _put_may_create(plugin: Declaration) -> bool:
    """Return True if an object can be created under the id in a URL; False where the back end chooses ids."""
    chosen_by_back_end = plugin.schema.fields["id"].dump_only or plugin.schema.id_optional
    return "create" in plugin.roles and not chosen_by_back_end


def _creation(plugin: Declaration) -> create.Creation:
    return create.Creation(
        plugin.adapter, plugin.representation, plugin.follow_up_operation.name if plugin.follow_up_operation else ""
    )


def _list(plugin: Declaration) -> View:
    return documented(
        plugin.blueprint,
        collection.list_view(plugin.collection),
        role=plugin.roles["list"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"list_{plugin.plural_id}",
        summary=f"List {plugin.name}",
        description=_WATCHABLE,
        query=list_query_schema(plugin.plural_id, plugin.filters),
        answers={200: (type(plugin.schema)(many=True), f"A page of {plugin.name}")},
        answer_headers=LIST_HEADERS,
        media_types=STREAMS,
        problems={410: "The resume point is too old", 422: "A parameter is invalid"},
        parameters=[IF_NONE_MATCH],
    )


def _create(plugin: Declaration) -> View:
    view = create.post_view(_creation(plugin))
    return documented(
        plugin.blueprint,
        idempotent(view, forget=plugin.schema.returned_once, certain=plugin.adapter.authorized_by_omni),
        role=plugin.roles["create"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"create_{plugin.singular_id}",
        summary=f"Create a {plugin.singular}",
        query=WriteQuery(),
        body=plugin.schema,
        body_example=plugin.example,
        answers=_create_answers(plugin),
        answer_headers=("ETag", "Location"),
        problems={
            404: "The object that it belongs to does not exist",
            409: "An object of this id exists already",
            422: "A field is invalid, or Omni rejects the value",
        },
    )


def _create_answers(plugin: Declaration) -> dict[int, tuple[Any, str]]:
    if plugin.create_operation:
        return {
            202: (OperationSchema, f"Omni creates the {plugin.singular}; the operation shows its progress"),
            **DRY_RUN,
        }
    answers = {201: (plugin.schema, f"The new {plugin.singular}"), **DRY_RUN}
    if plugin.create_may_return_existing:
        answers[200] = (or_dry_run(plugin.schema), f"An equal {plugin.singular} exists already, or the dry-run result")
    return answers


def _get(plugin: Declaration) -> View:
    return documented(
        plugin.blueprint,
        item.get_view(_item(plugin)),
        role=plugin.roles["get"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"get_{plugin.singular_id}",
        summary=f"Read a {plugin.singular}",
        description=_WATCHABLE,
        query=ReadQuery(),
        answers={200: (plugin.schema, f"The {plugin.singular}")},
        answer_headers=("ETag", "Cache-Status"),
        media_types=STREAMS,
        problems={404: "No such object"},
        parameters=[IF_NONE_MATCH],
    )


def _replace(plugin: Declaration) -> View:
    return documented(
        plugin.blueprint,
        item.put_view(_item(plugin)),
        role=plugin.roles["replace"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"replace_{plugin.singular_id}",
        summary=f"Replace the spec, labels and annotations of a {plugin.singular}",
        query=WriteQuery(),
        body=plugin.schema,
        body_example=plugin.example,
        answers={200: (or_dry_run(plugin.schema), f"The {plugin.singular} after the write"), **_put_creates(plugin)},
        answer_headers=("ETag", "Location") if _put_may_create(plugin) else ("ETag",),
        problems=WRITE_PROBLEMS,
        parameters=[IF_MATCH, IF_NONE_MATCH_PUT if _put_may_create(plugin) else IF_NONE_MATCH_WRITE],
    )


def _put_creates(plugin: Declaration) -> dict[int, tuple[Any, str]]:
    """Return the responses of a PUT that creates an object, which takes ``If-None-Match: *``."""
    if not _put_may_create(plugin):
        return {}
    if plugin.create_operation:
        return {202: (OperationSchema, f"Omni creates the {plugin.singular} (only with `If-None-Match: *`)")}
    return {201: (plugin.schema, f"The new {plugin.singular} (only with `If-None-Match: *`)")}


def _patch(plugin: Declaration) -> View:
    return documented(
        plugin.blueprint,
        item.patch_view(_item(plugin)),
        role=plugin.roles["patch"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"patch_{plugin.singular_id}",
        summary=f"Change a {plugin.singular} with a merge patch (RFC 7396)",
        query=WriteQuery(),
        answers={200: (or_dry_run(plugin.schema), f"The {plugin.singular} after the write")},
        answer_headers=("ETag",),
        problems={**WRITE_PROBLEMS, 415: "Not a merge patch; `Accept-Patch` names the media types"},
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
        extra_doc=merge_patch_body(),
    )


def merge_patch_body() -> dict[str, Any]:
    """Return the OpenAPI ``requestBody`` of a merge patch: any part of the object; ``null`` removes a member."""
    content = {"schema": {"type": "object"}, "example": {"labels": {"env": "prod"}}}
    return {"requestBody": {"required": True, "content": {item.PATCH_TYPES[0]: content}}}


def _delete(plugin: Declaration) -> View:
    assert plugin.delete_operation is not None  # ResourcePlugin sets one wherever roles has "delete"
    return documented(
        plugin.blueprint,
        item.delete_view(_item(plugin), plugin.delete_operation),
        role=plugin.roles["delete"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"delete_{plugin.singular_id}",
        summary=f"Remove a {plugin.singular}",
        query=plugin.delete_query(),
        answers={
            204: (None, "Removed"),
            **DRY_RUN,
            202: (OperationSchema, "Omni is removing it; the operation shows its progress"),
        },
        problems={404: "No such object", 412: FAILED_PRECONDITION, 409: "It is being removed already"},
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
    )


#: URL rule, endpoint name, and for each verb its HTTP method and the function that returns its view.
_ROUTES: Sequence[tuple[str, str, Mapping[str, tuple[str, Callable[[Declaration], View]]]]] = (
    ("", "Collection", {"list": ("get", _list), "create": ("post", _create)}),
    (
        "/<id>",
        "Item",
        {
            "get": ("get", _get),
            "replace": ("put", _replace),
            "patch": ("patch", _patch),
            "delete": ("delete", _delete),
        },
    ),
)


def _singleton_routes() -> Sequence[tuple[str, str, Mapping[str, tuple[str, Callable[[Declaration], View]]]]]:
    """Return the routes of a singleton: its one object has the URL that a collection would have."""
    (_, collection_name, collection_verbs), (_, item_name, item_verbs) = _ROUTES
    return ("", collection_name, {"create": collection_verbs["create"]}), ("", item_name, item_verbs)


def _subresource(plugin: Declaration, sub: SubResource | SubList | SubCollection) -> View:
    role = plugin.roles.get("get", Role.READER)
    operation_id = f"get_{plugin.singular_id}_{sub.name.replace('-', '_')}"
    problems = {404: "No such object, or it has no such sub-resource"}
    if isinstance(sub, SubResource):
        schema = sub.schema()
        representation = Representation(schema, plugin.name, _subresource_links(plugin, sub))
        return documented(
            plugin.blueprint,
            subresources.subresource_view(plugin.adapter, sub, representation),
            role=role,
            authorized_by_omni=plugin.adapter.authorized_by_omni and sub.adapter.authorized_by_omni,
            operation_id=operation_id,
            summary=sub.summary,
            description=_WATCHABLE,
            query=ReadQuery(),
            answers={200: (schema, sub.summary)},
            answer_headers=("ETag", "Cache-Status"),
            media_types=STREAMS,
            problems=problems,
            parameters=[IF_NONE_MATCH],
        )
    answer: Any = _ARRAY_OF_OBJECTS
    authorized_by_omni = plugin.adapter.authorized_by_omni
    if isinstance(sub, SubList):
        schema = sub.schema()
        children = Collection(sub.adapter, Representation(schema, sub.collection, sub.links), sub.filters)
        view, answer = subresources.sublist_view(plugin.adapter, children, sub.filter), type(schema)(many=True)
        authorized_by_omni = authorized_by_omni and sub.adapter.authorized_by_omni
    else:
        view = subresources.subcollection_view(plugin.adapter, sub)
    return documented(
        plugin.blueprint,
        view,
        role=role,
        authorized_by_omni=authorized_by_omni,
        operation_id=operation_id,
        summary=sub.summary,
        description=_WATCHABLE,
        query=list_query_schema(operation_id, []),
        answers={200: (answer, sub.summary)},
        answer_headers=LIST_HEADERS,
        media_types=STREAMS,
        problems=problems,
        parameters=[IF_NONE_MATCH],
    )


def _subresource_links(plugin: Declaration, sub: SubResource) -> dict[str, LinkMaker]:
    """Return the links of a sub-resource: to itself and to its parent object."""
    return {
        "self": lambda resource: object_url(plugin.name, sub.parent(resource.id), sub.name),
        plugin.singular_id: lambda resource: object_url(plugin.name, sub.parent(resource.id)),
    }
