"""The routes of bulk requests.

A plugin with a list has one for each of its verbs and actions on one object; ``/resources/{type}`` has them too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from flask import Flask, Response, current_app, request

from omni_gateway.auth import Role
from omni_gateway.http.changed_fields import note_cluster
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.internal_requests import Origin
from omni_gateway.http.parser import strict_json
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.actions import Action
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import unscoped
from omni_gateway.rest.bulk.object_requests import ObjectRequests
from omni_gateway.rest.bulk.query import bulk_query_schema, check_selection
from omni_gateway.rest.bulk.record import KIND, BulkRecord, Verb, Work, details
from omni_gateway.rest.bulk.run import dry_run
from omni_gateway.rest.bulk.runner import runner_of
from omni_gateway.rest.filters import Filter, filtered_list
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.operations import PLANNED, Operation, OperationSchema
from omni_gateway.rest.parameters import WriteQuery
from omni_gateway.rest.request_context import request_context
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views.collection import Collection
from omni_gateway.rest.views.item import PATCH_TYPES, patch_content
from omni_gateway.rest.views.openapi import IF_MATCH
from omni_gateway.rest.views.responses import json_response, operation_response
from omni_gateway.rest.views.route import Request, Responses, Route

#: Objects of one bulk request, at most.
MOST_OBJECTS = 5000
_TEXT = (
    "A filter, or `all=true`, is required. `details.results` of the operation has the outcome of each object; with"
    " `dry_run=true` the answer has them at once, with a `diff` each."
)


@dataclass(frozen=True, slots=True)
class Target:
    """The collection that a bulk request is about.

    :param resource: the name of its plugin; of any Omni type, ``resources`` with the full name as ``type``.
    """

    resource: str
    collection: Collection
    type: str = ""

    @property
    def adapter(self) -> ResourceAdapter:
        """Return its adapter for the current request: it reads from Omni, never from the cache."""
        return current_gateway().bound(self.collection.adapter)


@dataclass(frozen=True, slots=True)
class Bulk:
    """The declaration of bulk routes, of one plugin or of any Omni type.

    :param plural_id: the words for several of its objects in operationIds.
    :param title: the words for several of its objects in texts.
    :param target: returns the collection for a verb and the variables of the rule; it checks the caller where the role
        of the route is not all that the verb takes.
    :param authorized_by_omni: as of the collection's adapter.
    :param rule: the rule of the collection below the blueprint's prefix.
    :param text: further text for the descriptions in the OpenAPI document.
    :param problems: further problems, as of :class:`Responses`.
    """

    plural_id: str
    title: str
    target: Callable[..., Target]
    authorized_by_omni: bool
    filters: Sequence[Filter] = ()
    rule: str = ""
    text: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of_plugin(cls, name: str, plural_id: str, title: str, collection: Collection) -> Self:
        """Return the declaration for a plugin's collection."""
        target = Target(name, collection)
        return cls(plural_id, title, lambda _: target, collection.adapter.authorized_by_omni, collection.filters)

    def patch_route(self, role: Role, schema: ResourceSchema) -> Route:
        """Return the route that patches the selected objects."""
        return self._route(
            "patch",
            role,
            f"Change many {self.title} with one merge patch (RFC 7396)",
            content=patch_content(schema),
            text="With `atomic=true` all objects are checked before the first is written, and those that were written"
            " get their former content back if one cannot be.",
        )

    def delete_route(self, role: Role, delete_query: type[WriteQuery]) -> Route:
        """Return the route that removes the selected objects."""
        return self._route("delete", role, f"Remove many {self.title}", own_query=delete_query)

    def action_route(self, action: Action) -> Route:
        """Return the route of an action on the selected objects."""
        return self._route(
            "action", action.role, f"{action.summary}, for many {self.title}", own_query=action.query, action=action
        )

    def _route(
        self,
        verb: Verb,
        role: Role,
        summary: str,
        *,
        content: Mapping[str, Any] | None = None,
        own_query: type[WriteQuery] = WriteQuery,
        action: Action | None = None,
        text: str = "",
    ) -> Route:
        name = action.name if action else ""

        def view(arguments: Mapping[str, Any], *_: Any, **path: str) -> Response:
            # A parsed body is not used: the requests of the objects get it as it came.
            return _start(self.target(verb, **path), verb, name, own_query, arguments)

        return Route(
            method={"patch": "PATCH", "delete": "DELETE", "action": "POST"}[verb],
            rule=f"{self.rule}/actions/{name}" if name else self.rule,
            operation_id=f"{name.replace('-', '_') or verb}_many_{self.plural_id}",
            role=role,
            authorized_by_omni=self.authorized_by_omni,
            view=idempotent(view, certain=self.authorized_by_omni),
            summary=summary,
            description=" ".join(part for part in (_TEXT, text, self.text) if part),
            request=Request(
                query=bulk_query_schema(
                    f"{self.plural_id}{name.title().replace('-', '')}{verb.title()}", self.filters, own_query
                ),
                body=action.body() if action and action.body else None,
                example=action.example if action else None,
                content=content,
                headers=[IF_MATCH],
            ),
            responses=Responses(
                answers={
                    202: (OperationSchema, "Started; the operation has the outcome of each object"),
                    200: ("PlannedBulk", ""),
                },
                problems={412: "", 413: f"More than {MOST_OBJECTS} objects are selected", 422: "", **self.problems},
            ),
        )


def _start(
    target: Target, verb: Verb, action: str, own_query: type[WriteQuery], arguments: Mapping[str, Any]
) -> Response:
    """Carry out a bulk request: at once if it is a dry run, else in the background."""
    if verb == "patch" and not isinstance(strict_json(request, allow=PATCH_TYPES), dict):
        raise Problem(422, "validation", "A merge patch of an object is a JSON object.")
    body = b"" if verb == "delete" else request.get_data(cache=True)
    selected = _selected(target, verb, arguments)
    clusters = _clusters(target, selected)
    ids = [item.id for item in selected]
    own = [name for name in own_query().fields if name in request.args and name != "dry_run"]
    work = Work(
        target.resource,
        verb,
        action,
        urlencode([(name, request.args[name]) for name in own]),
        request.mimetype if body else "",
        arguments["atomic"],
        arguments["parallelism"],
        arguments.get("max_failures", 0),
        target.type,
    )
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    principal, origin = request_context().principal, Origin.of(request)
    whole = target.collection.adapter.lists_whole_objects
    known = {item.id: item for item in selected} if whole else {}
    requests = ObjectRequests(app, principal, origin, work, body, known, clusters)
    if arguments["dry_run"]:
        found = details(work, ids, dry_run(requests, ids))
        url = f"{API_PREFIX}/{work.collection}"
        planned = Operation(KIND, "", PLANNED, "Not started: this is a dry run.", target=url, details=found)
        return json_response(planned.document())
    record = BulkRecord.new(uuid.uuid4().hex, work, principal, origin, ids)
    runner_of(app).start(record, requests)
    return operation_response(record.operation())


def _clusters(target: Target, selected: Sequence[Resource]) -> Mapping[str, str]:
    """Return the cluster of each selected object that has one; the audit log names the one that all have."""
    owners = unscoped(target.adapter).clusters_of(selected)
    if len({*owners}) == 1:
        note_cluster(owners[0] or "")
    return {item.id: owner for item, owner in zip(selected, owners, strict=True) if owner}


def _selected(target: Target, verb: Verb, arguments: Mapping[str, Any]) -> Sequence[Resource]:
    """Return the selected objects. Raises the problems of a request that cannot be carried out."""
    if "If-Match" in request.headers:
        raise Problem(412, "stale-precondition", "Many objects have no one entity tag, so If-Match fails.")
    check_selection(arguments, target.collection.filters, request.method)
    if arguments["atomic"] and verb != "patch":
        what = "A removal" if verb == "delete" else "An action"
        raise Problem(422, "validation", errors={"atomic": [f"{what} cannot be taken back when another one fails."]})
    found = filtered_list(target.adapter, target.collection.query(arguments)).items
    if len(found) > MOST_OBJECTS:
        text = f"{len(found)} objects are selected, and {MOST_OBJECTS} is the most."
        raise Problem(413, "too-large", text, hint="Select fewer of them at a time.")
    return found


def has_bulk_form(action: Action, others: Sequence[Action]) -> bool:
    """Return whether an action has a bulk route.

    It has none if it is on the collection itself, if another one is that has its URL, if it changes nothing, and if its
    answer is what it is called for: the answers of many objects are not kept.
    """
    on_collection = {each.name for each in others if each.on_collection}
    wanted_answer = action.answers is not None or bool(action.returned_once)
    return action.name not in on_collection and action.role > Role.READER and not wanted_answer
