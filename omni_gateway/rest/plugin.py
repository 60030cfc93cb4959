"""The plugin contract: :class:`ResourcePlugin`, the declaration of a resource.

A plugin is made once, at import. :class:`ResourcePlugin` turns its declaration into flask-smorest views on its own
blueprint; ``register`` mounts that blueprint on an application. Any other route is an ordinary view on
``plugin.blueprint`` that is guarded by ``omni_gateway.sdk.require_role``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.http.openapi.items import ITEMS_OF
from omni_gateway.http.openapi.tags import OTHER
from omni_gateway.http.plugin_metrics import Metric
from omni_gateway.http.type_nouns import Noun
from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.bulk.routes import Bulk, has_bulk_form
from omni_gateway.rest.change_handler import ChangeHandler
from omni_gateway.rest.declaration import VERBS, refuse_wrong_arguments
from omni_gateway.rest.delete_operation import removal
from omni_gateway.rest.extension import Extension
from omni_gateway.rest.filters import Filter
from omni_gateway.rest.health_check import HealthCheck
from omni_gateway.rest.links import API_PREFIX, LinkMaker, object_url
from omni_gateway.rest.nouns import plural, with_article
from omni_gateway.rest.operations import OperationKind, OperationSchema
from omni_gateway.rest.parameters import ReadQuery, WriteQuery, list_query_schema
from omni_gateway.rest.plugin_pages import Page
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource
from omni_gateway.rest.views.collection import Collection, list_view
from omni_gateway.rest.views.create import Creation, post_view
from omni_gateway.rest.views.descriptions import (
    create_description,
    delete_description,
    get_description,
    list_description,
    patch_description,
    replace_description,
    subresource_description,
)
from omni_gateway.rest.views.item import Item, delete_view, get_view, patch_content, patch_view, put_view
from omni_gateway.rest.views.openapi import (
    IF_MATCH,
    IF_NONE_MATCH_PUT,
    IF_NONE_MATCH_WRITE,
    LIST_HEADERS,
    OBJECT_HEADERS,
    PATCH_PROBLEMS,
    PLANNED,
    WRITE_PROBLEMS,
    WRITTEN_HEADERS,
)
from omni_gateway.rest.views.route import Request, Responses, Route
from omni_gateway.rest.views.subresources import subcollection_view, sublist_view, subresource_view
from omni_gateway.store import Tables
from omni_gateway.tasks import Task

#: Roles: readers may list and get.
READ: Mapping[str, Role] = {"list": Role.READER, "get": Role.READER}
#: Roles: admins alone, for every verb.
ADMIN_READ_WRITE: Mapping[str, Role] = dict.fromkeys(VERBS, Role.ADMIN)
#: Roles: readers may list and get, operators may create, replace, patch and delete.
READ_WRITE: Mapping[str, Role] = {**READ, **dict.fromkeys(("create", "replace", "patch", "delete"), Role.OPERATOR)}


class ResourcePlugin(ServicePlugin):
    """One resource of the API.

    :param name: the first segment of its URLs, e.g. ``configpatches``; unique among the plugins.
    :param singular: the word for one object, e.g. ``configpatch``; operationIds are built from both.
    :param title: the words for one object in texts, e.g. ``config patch``; by default those of ``singular``.
    :param plural_title: the words for several objects; by default the regular plural of ``title``.
    :param schema: the :class:`ResourceSchema` of its objects.
    :param adapter: the :class:`ResourceAdapter` of its back end.
    :param roles: verb → role that a caller needs. A verb without an entry has no route.
    :param sdk: the range of SDK versions this plugin was written for (PEP 440 specifiers).
    :param filters: the resource's own query parameters on lists.
    :param subresources: the sub-resources of each object.
    :param links: name → link maker, for ``_links``.
    :param actions: its actions.
    :param documents: its computed documents.
    :param operations: the kinds of operations that neither an action nor a verb starts.
    :param delete_operation: the operation kind that a DELETE returns; the default (:mod:`.delete_operation`) shows the
        finalizers of the object.
    :param follow_up_operation: the operation kind that shows how a new object comes up; a POST (201) then has an
        ``Operation-Location`` header.
    :param create_operation: the operation kind that a POST returns (202), where Omni creates the object later.
    :param create_may_return_existing: whether a POST may respond 200 with an equal existing object.
    :param example: a request body, shown in the OpenAPI document (a test sends it).
    :param singleton: the id of the only object; its URL is then the collection's own, and there is no list.
    :param delete_query: the query parameters of a DELETE, passed to the adapter's ``delete_with``.
    :param description: one or two sentences on its objects, for its tag and its operations in the OpenAPI document.
    :param after_write: the effect of a create, replace or patch and where to follow it, for their descriptions.
    :param after_delete: the effect of a delete, for its description.
    :param group: the group of its tag there: one of ``http.openapi.tags.GROUPS``, or of your own.
    :param example_id: an id of its objects, for examples in the document; by default that of ``example``.
    :param settings: a frozen dataclass of ``omni_gateway.sdk.extensions.setting`` fields, read at the start; adapters
        and tasks have an instance as ``settings``.
    :param tasks: its background tasks.
    :param health_checks: its checks in ``/readyz``.
    :param tables: the tables that it has in the gateway's store, with the migrations that make them.
    :param extensions: the routes that it adds below objects of other plugins.
    :param change_handlers: the functions that are called with changes of Omni's objects.
    :param metrics: its metrics, at ``/metrics``.
    :param pages: its pages for browsers.

    Raises :class:`PluginError` for a schema that is no class of schemas, for ``roles`` with an unknown verb or another
    value than a role, for a singleton with ``list``, and for filters with the name of another or of a common parameter.
    """

    collection: Collection

    def __init__(
        self,
        *,
        name: str,
        singular: str,
        title: str = "",
        plural_title: str = "",
        schema: type[ResourceSchema],
        adapter: ResourceAdapter,
        roles: Mapping[str, Role],
        sdk: str = ">=2.0,<3",
        filters: Sequence[Filter] = (),
        subresources: Sequence[SubResource | SubList | SubCollection] = (),
        links: Mapping[str, LinkMaker] | None = None,
        actions: Sequence[Action] = (),
        documents: Sequence[ComputedDocument] = (),
        operations: Sequence[OperationKind] = (),
        delete_operation: OperationKind | None = None,
        follow_up_operation: OperationKind | None = None,
        create_operation: OperationKind | None = None,
        create_may_return_existing: bool = False,
        example: Mapping[str, Any] | None = None,
        singleton: str = "",
        delete_query: type[WriteQuery] = WriteQuery,
        description: str = "",
        after_write: str = "",
        after_delete: str = "",
        group: str = OTHER,
        example_id: str = "",
        import_name: str = __name__,
        settings: type | None = None,
        tasks: Sequence[Task] = (),
        health_checks: Sequence[HealthCheck] = (),
        tables: Tables | None = None,
        extensions: Sequence[Extension] = (),
        change_handlers: Sequence[ChangeHandler] = (),
        metrics: Sequence[Metric] = (),
        pages: Sequence[Page] = (),
    ) -> None:
        refuse_wrong_arguments(schema, roles, filters, singleton)
        title = self.title = title or singular.replace("-", " ")
        plural_title = self.plural_title = plural_title or plural(title)
        if delete_operation is None and "delete" in roles:
            delete_operation = removal(name, singular, adapter, title)
        objects = schema()
        if singleton:
            objects.fix_id(singleton)
        sub_links = {
            item.name.replace("-", "_"): _subresource_link(name, item.name, singleton=bool(singleton))
            for item in subresources
        }
        super().__init__(
            name=name,
            singular=singular,
            adapter=adapter,
            sdk=sdk,
            actions=actions,
            documents=documents,
            operations=[*operations, *filter(None, (delete_operation, follow_up_operation, create_operation))],
            description=description,
            group=group,
            example_id=example_id or singleton or str((example or {}).get("id", "")),
            tag_title=title if singleton else plural_title,
            representation=Representation(objects, name, {**(links or {}), **sub_links}, singleton=bool(singleton)),
            import_name=import_name,
            settings=settings,
            tasks=tasks,
            health_checks=health_checks,
            tables=tables,
            extensions=extensions,
            change_handlers=change_handlers,
            metrics=metrics,
            pages=pages,
        )
        self.description = description
        self.after_write = after_write
        self.after_delete = after_delete
        self.roles = dict(roles)
        self.filters: Sequence[Filter] = tuple(filters)
        self.subresources: Sequence[SubResource | SubList | SubCollection] = tuple(subresources)
        self.delete_operation = delete_operation
        self.follow_up_operation = follow_up_operation
        self.create_operation = create_operation
        self.create_may_return_existing = create_may_return_existing
        self.example = example
        self.singleton = singleton
        self.delete_query = delete_query
        self.collection = Collection(adapter, self.representation, self.filters)
        self._one = f"the {title}" if singleton else with_article(title)
        # A singleton's object has the URL that other resources have for their collection.
        self._object_rule = "" if singleton else "/<id>"
        self._object_defaults = {"id": singleton} if singleton else {}
        for route in self._routes():
            self.add(route)

    @property
    def noun(self) -> str:
        """Return the words for one object."""
        return self.title

    def _routes(self) -> Iterator[Route]:
        yield from self._collection_routes()
        yield from self._object_routes()
        yield from map(self.subresource_route, self.subresources)
        if "list" in self.roles:
            yield from self._bulk_routes()

    def _collection_routes(self) -> Iterator[Route]:
        """Yield the routes of the collection: a row for each verb that has a role."""
        roles, schema = self.roles, self.schema
        by_omni = self.adapter.authorized_by_omni
        route = partial(Route, rule="", authorized_by_omni=by_omni)
        if "list" in roles:
            yield route(
                method="GET",
                operation_id=f"list_{self.plural_id}",
                role=roles["list"],
                view=list_view(self.collection),
                summary=f"List {self.plural_title}",
                description=list_description(self.description, self.filters, self.adapter.sortable),
                request=Request(query=list_query_schema(self.plural_id, self.filters)),
                responses=Responses(
                    answers={200: (type(schema)(many=True), f"A page of {self.plural_title}")},
                    headers={200: LIST_HEADERS},
                    media_types=STREAMS,
                    problems={410: ""},
                ),
                conditional=True,
            )
        if "create" in roles:
            yield route(
                method="POST",
                operation_id=f"create_{self.singular_id}",
                role=roles["create"],
                view=idempotent(post_view(self._creation()), forget=schema.returned_once, certain=by_omni),
                summary=f"Create {self._one}",
                description=create_description(
                    self.description,
                    self.after_write,
                    self.create_operation,
                    self.follow_up_operation,
                    may_return_existing=self.create_may_return_existing,
                ),
                request=Request(query=WriteQuery(), body=schema, example=self.example),
                responses=Responses(
                    answers=self._answers_to_post(),
                    dry_run=True,
                    headers=self._headers_of_post(),
                    problems={
                        404: "The object that it belongs to does not exist",
                        409: "An object of this id exists already",
                    },
                ),
            )

    def _object_routes(self) -> Iterator[Route]:
        """Yield the routes of one object: a row for each verb that has a role."""
        roles, schema = self.roles, self.schema
        route = partial(
            Route,
            rule=self._object_rule,
            defaults=self._object_defaults,
            authorized_by_omni=self.adapter.authorized_by_omni,
        )
        put_creates = self._put_may_create()
        item = Item(self.adapter, self.representation)
        if put_creates:
            item = replace(item, creation=self._creation(), create_role=lambda: roles["create"])
        if "get" in roles:
            yield route(
                method="GET",
                operation_id=f"get_{self.singular_id}",
                role=roles["get"],
                view=get_view(item),
                summary=f"Read {self._one}",
                description=get_description(self.description),
                request=Request(query=ReadQuery()),
                responses=Responses(
                    answers={200: (schema, f"The {self.title}")},
                    headers={200: OBJECT_HEADERS},
                    media_types=STREAMS,
                    problems={404: "", 410: ""},
                ),
                conditional=True,
            )
        if "replace" in roles:
            yield route(
                method="PUT",
                operation_id=f"replace_{self.singular_id}",
                role=roles["replace"],
                view=put_view(item),
                summary=f"Replace the spec, labels and annotations of {self._one}",
                description=replace_description(self.after_write, creates=put_creates),
                request=Request(
                    query=WriteQuery(),
                    body=schema.with_id_in_url(),
                    example=self.example,
                    headers=[IF_MATCH, IF_NONE_MATCH_PUT if put_creates else IF_NONE_MATCH_WRITE],
                ),
                responses=Responses(
                    answers=self._answers_to_put(creates=put_creates),
                    dry_run=True,
                    headers={200: WRITTEN_HEADERS, 201: (*WRITTEN_HEADERS, "Location", *self._follow_up_header)},
                    problems=WRITE_PROBLEMS,
                ),
            )
        if "patch" in roles:
            yield route(
                method="PATCH",
                operation_id=f"patch_{self.singular_id}",
                role=roles["patch"],
                view=patch_view(item),
                summary=f"Change {self._one} with a merge patch (RFC 7396)",
                description=patch_description(self.after_write),
                request=Request(
                    query=WriteQuery(), content=patch_content(schema), headers=[IF_MATCH, IF_NONE_MATCH_WRITE]
                ),
                responses=Responses(
                    answers={200: (schema, f"The {self.title} after the write")},
                    dry_run=True,
                    headers={200: WRITTEN_HEADERS},
                    problems=PATCH_PROBLEMS,
                ),
            )
        if "delete" in roles:
            assert self.delete_operation is not None  # __init__ sets one wherever roles has "delete"
            yield route(
                method="DELETE",
                operation_id=f"delete_{self.singular_id}",
                role=roles["delete"],
                view=delete_view(item, self.delete_operation),
                summary=f"Remove {self._one}",
                description=delete_description(self.after_delete, self.delete_operation),
                request=Request(query=self.delete_query(), headers=[IF_MATCH, IF_NONE_MATCH_WRITE]),
                responses=Responses(
                    answers={
                        204: (None, "Removed"),
                        **PLANNED,
                        202: (OperationSchema, "Omni is removing it; the operation shows its progress"),
                    },
                    dry_run=True,
                    problems={404: "", 409: "It is being removed already", 412: ""},
                ),
            )

    def _bulk_routes(self) -> Iterator[Route]:
        """Yield the routes by which many objects are changed with one request."""
        bulk = Bulk.of_plugin(self.name, self.plural_id, self.plural_title, self.collection)
        if "patch" in self.roles:
            yield bulk.patch_route(self.roles["patch"], self.schema)
        if "delete" in self.roles:
            yield bulk.delete_route(self.roles["delete"], self.delete_query)
        yield from (bulk.action_route(each) for each in self.actions if has_bulk_form(each, self.actions))

    def _adapters(self) -> Iterator[ResourceAdapter]:
        yield self.adapter
        yield from (sub.adapter for sub in self.subresources if not isinstance(sub, SubCollection))

    def _nouns(self) -> Iterator[tuple[str, Noun]]:
        for type in (self.adapter.type, *self.adapter.other_types):
            yield type, Noun(self._named, self.plural_title)
        for sub in self.subresources:
            if isinstance(sub, SubResource):
                part = f"{sub.name.replace('-', ' ')} of"
                yield sub.adapter.type, Noun(partial(self._part_named, part, sub), f"{part} {self.plural_title}")

    def _named(self, id: str) -> str:
        return self.title if self.singleton else f"{self.title} {id!r}"

    def _part_named(self, part: str, sub: SubResource, id: str) -> str:
        return f"{part} {self._named(sub.parent(id))}"

    def _put_may_create(self) -> bool:
        """Return True if an object can be created under the id in a URL; False where the back end chooses ids."""
        chosen_by_back_end = self.schema.fields["id"].dump_only or self.schema.id_optional
        return "create" in self.roles and not chosen_by_back_end

    def _creation(self) -> Creation:
        follow_up = self.follow_up_operation.name if self.follow_up_operation else ""
        started = self.create_operation.name if self.create_operation else ""
        return Creation(self.adapter, self.representation, follow_up, started)

    def _answers_to_post(self) -> dict[int, tuple[Any, str]]:
        if self.create_operation:
            text = f"Omni creates the {self.title}; the operation shows its progress"
            return {202: (OperationSchema, text), **PLANNED}
        text = f"The {self.title} that would result (only with `dry_run=true`)"
        if self.create_may_return_existing:
            text = f"An equal {self.title} exists already; or, with `dry_run=true`, the one that would result"
        return {201: (self.schema, f"The new {self.title}"), 200: (self.schema, text)}

    def _headers_of_post(self) -> dict[int, Sequence[str]]:
        created = (*WRITTEN_HEADERS, "Location", *self._follow_up_header)
        return {201: created, **({200: created} if self.create_may_return_existing else {})}

    @property
    def _follow_up_header(self) -> Sequence[str]:
        return ("Operation-Location",) if self.follow_up_operation else ()

    def _answers_to_put(self, *, creates: bool) -> dict[int, tuple[Any, str]]:
        answers: dict[int, tuple[Any, str]] = {200: (self.schema, f"The {self.title} after the write")}
        if creates and self.create_operation:
            answers[202] = (OperationSchema, f"Omni creates the {self.title} (only with `If-None-Match: *`)")
        elif creates:
            answers[201] = (self.schema, f"The new {self.title} (only with `If-None-Match: *`)")
        return answers

    def subresource_route(self, sub: SubResource | SubList | SubCollection) -> Route:
        """Return the route of a sub-resource of this plugin's objects."""
        operation_id = f"get_{self.singular_id}_{sub.name.replace('-', '_')}"
        query = list_query_schema(operation_id, [])
        by_omni = self.adapter.authorized_by_omni
        headers = LIST_HEADERS
        answer: Any
        if isinstance(sub, SubResource):
            answer, query, headers = sub.schema(), ReadQuery(), OBJECT_HEADERS
            view = subresource_view(self.adapter, sub, Representation(answer, self.name, self._links_of(sub)))
            by_omni = by_omni and sub.adapter.authorized_by_omni
        elif isinstance(sub, SubList):
            answer = sub.schema(many=True)
            children = Collection(sub.adapter, Representation(sub.schema(), sub.collection, sub.links), sub.filters)
            view = sublist_view(self.adapter, children, sub.filter)
            by_omni = by_omni and sub.adapter.authorized_by_omni
        else:
            # The items are another plugin's objects, whose schema is not known when this plugin is made.
            answer = {"type": "array", "items": {ITEMS_OF: f"{API_PREFIX}/{sub.plugin}"}}
            view = subcollection_view(self.adapter, sub)
        return Route(
            method="GET",
            rule=f"{self._object_rule}/{sub.name}",
            defaults=self._object_defaults,
            operation_id=operation_id,
            role=self.roles.get("get", Role.READER),
            authorized_by_omni=by_omni,
            view=view,
            summary=sub.summary,
            description=subresource_description(sub, f"the {self.title}"),
            request=Request(query=query),
            responses=Responses(
                answers={200: (answer, sub.summary)},
                headers={200: headers},
                media_types=STREAMS,
                problems={404: "No such object, or it has no such sub-resource", 410: ""},
            ),
            conditional=True,
        )

    def _links_of(self, sub: SubResource) -> dict[str, LinkMaker]:
        """Return the links of a sub-resource: to itself and to its parent object."""
        return {
            "self": lambda resource: object_url(self.name, sub.parent(resource.id), sub.name),
            self.singular_id: lambda resource: object_url(self.name, sub.parent(resource.id)),
        }


def _subresource_link(collection: str, path: str, *, singleton: bool) -> LinkMaker:
    """Return a link maker for a sub-resource, whose ``path`` is not encoded."""
    if singleton:
        url = f"{API_PREFIX}/{collection}/{path}"
        return lambda resource: url
    return lambda resource: f"{object_url(collection, resource.id)}/{path}"
