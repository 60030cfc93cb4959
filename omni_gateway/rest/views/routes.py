"""Mount what a plugin declares: its collection, its objects, and what lies below them."""

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
#: The items are another plugin's, whose schema this one does not know.
_OTHERS: Any = {"type": "array", "items": {"type": "object"}}
WRITE_PROBLEMS = {
    404: "No such object",
    409: "Tearing down, or changed by others too often",
    412: FAILED_PRECONDITION,
    422: "A field or parameter is wrong, or Omni refuses the value",
}


class Declaration(Protocol):
    """What the routes of a resource are made of; see :class:`omni_gateway.rest.plugin.ResourcePlugin`."""

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
        """Return the plural as it stands in operationIds."""

    @property
    def singular_id(self) -> str:
        """Return the singular as it stands in operationIds."""


def mount(plugin: Declaration) -> None:
    """Add the routes of every verb that has a role, and of every sub-resource."""
    routes = _singleton_routes() if plugin.singleton else _ROUTES
    for rule, name, verbs in routes:
        methods = {method: make(plugin) for verb, (method, make) in verbs.items() if verb in plugin.roles}
        _add(plugin, rule, name, methods)
    above = "" if plugin.singleton else "/<id>"
    for sub in plugin.subresources:
        _add(plugin, f"{above}/{sub.name}", sub.name, {"get": _below(plugin, sub)})


def _add(plugin: Declaration, rule: str, name: str, methods: Mapping[str, View]) -> None:
    present = {method: _as_method(view) for method, view in methods.items()}
    if present:
        view_class = type(f"{plugin.plural_id}_{name}", (MethodView,), present)
        only = {"id": plugin.singleton} if plugin.singleton and name != "Collection" else {}
        plugin.blueprint.add_url_rule(rule, endpoint=name, view_func=view_class, defaults=only)


def _as_method(view: View) -> Any:
    """MethodView calls its methods with itself; our views are plain functions with documentation attached."""
    return staticmethod(view)


def _item(plugin: Declaration) -> item.Item:
    if not _put_may_create(plugin):
        return item.Item(plugin.adapter, plugin.representation)
    return item.Item(plugin.adapter, plugin.representation, _creation(plugin), lambda: plugin.roles["create"])


def _put_may_create(plugin: Declaration) -> bool:
    """Whether an object can be made under the id that a URL names: not where the back end chooses it."""
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
        problems={410: "The resume point is too old", 422: "A parameter is wrong"},
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
            404: "What it belongs to is not there",
            409: "There is one of this name already",
            422: "A field is wrong, or Omni refuses the value",
        },
    )


def _create_answers(plugin: Declaration) -> dict[int, tuple[Any, str]]:
    if plugin.create_operation:
        return {202: (OperationSchema, f"The {plugin.singular} will come"), **DRY_RUN}
    made = {201: (plugin.schema, f"The new {plugin.singular}"), **DRY_RUN}
    if plugin.create_may_return_existing:
        made[200] = (or_dry_run(plugin.schema), f"There was such a {plugin.singular} already; or the dry run's answer")
    return made


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
        answers={200: (or_dry_run(plugin.schema), f"The {plugin.singular} as it is now"), **_put_creates(plugin)},
        answer_headers=("ETag", "Location") if _put_may_create(plugin) else ("ETag",),
        problems=WRITE_PROBLEMS,
        parameters=[IF_MATCH, IF_NONE_MATCH_PUT if _put_may_create(plugin) else IF_NONE_MATCH_WRITE],
    )


def _put_creates(plugin: Declaration) -> dict[int, tuple[Any, str]]:
    """Return the answers of a PUT that makes an object, with ``If-None-Match: *``."""
    if not _put_may_create(plugin):
        return {}
    if plugin.create_operation:
        return {202: (OperationSchema, f"The {plugin.singular} will come (only with `If-None-Match: *`)")}
    return {201: (plugin.schema, f"The new {plugin.singular} (only with `If-None-Match: *`)")}


def _patch(plugin: Declaration) -> View:
    return documented(
        plugin.blueprint,
        item.patch_view(_item(plugin)),
        role=plugin.roles["patch"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"patch_{plugin.singular_id}",
        summary=f"Change a {plugin.singular} by a merge patch (RFC 7396)",
        query=WriteQuery(),
        answers={200: (or_dry_run(plugin.schema), f"The {plugin.singular} as it is now")},
        answer_headers=("ETag",),
        problems={**WRITE_PROBLEMS, 415: "Not a merge patch; Accept-Patch tells what is"},
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
        extra_doc=merge_patch_body(),
    )


def merge_patch_body() -> dict[str, Any]:
    """Document the body of a merge patch: any part of the object, ``null`` where a member is to go."""
    content = {"schema": {"type": "object"}, "example": {"labels": {"env": "prod"}}}
    return {"requestBody": {"required": True, "content": {item.PATCH_TYPES[0]: content}}}


def _delete(plugin: Declaration) -> View:
    assert plugin.delete_operation is not None  # a plugin that deletes has a kind of operation for it
    return documented(
        plugin.blueprint,
        item.delete_view(_item(plugin), plugin.delete_operation),
        role=plugin.roles["delete"],
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"delete_{plugin.singular_id}",
        summary=f"Remove a {plugin.singular}",
        query=plugin.delete_query(),
        answers={
            204: (None, "Gone"),
            **DRY_RUN,
            202: (OperationSchema, "Omni is removing it"),
        },
        problems={404: "No such object", 412: FAILED_PRECONDITION, 409: "It is being removed already"},
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
    )


#: Rule, name, and for each verb its HTTP method and what makes its view.
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
    """Serve the one object where a collection would be."""
    (_, collection, on_all), (_, item_name, on_one) = _ROUTES
    return ("", collection, {"create": on_all["create"]}), ("", item_name, on_one)


def _below(plugin: Declaration, sub: SubResource | SubList | SubCollection) -> View:
    role = plugin.roles.get("get", Role.READER)
    operation_id = f"get_{plugin.singular_id}_{sub.name.replace('-', '_')}"
    problems = {404: "No such object, or nothing of this kind below it"}
    if isinstance(sub, SubResource):
        schema = sub.schema()
        representation = Representation(schema, plugin.name, _links_below(plugin, sub))
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
    answer: Any = _OTHERS
    authorized_by_omni = plugin.adapter.authorized_by_omni
    if isinstance(sub, SubList):
        schema = sub.schema()
        held = Collection(sub.adapter, Representation(schema, sub.collection, sub.links), sub.filters)
        view, answer = subresources.sublist_view(plugin.adapter, held, sub.filter), type(schema)(many=True)
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


def _links_below(plugin: Declaration, sub: SubResource) -> dict[str, LinkMaker]:
    """Link a sub-object to itself and to the object above it."""
    return {
        "self": lambda resource: object_url(plugin.name, sub.parent(resource.id), sub.name),
        plugin.singular_id: lambda resource: object_url(plugin.name, sub.parent(resource.id)),
    }
