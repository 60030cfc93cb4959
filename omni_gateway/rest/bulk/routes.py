"""The routes of bulk requests, which a plugin with a list has for each of its verbs and actions on one object."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
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
from omni_gateway.rest.adapters.scoped import unscoped
from omni_gateway.rest.bulk.object_requests import ObjectRequests
from omni_gateway.rest.bulk.query import bulk_query_schema, check_selection
from omni_gateway.rest.bulk.record import KIND, BulkRecord, Verb, Work, details
from omni_gateway.rest.bulk.run import dry_run
from omni_gateway.rest.bulk.runner import runner_of
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.id_matches import matching_list
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
class Bulk:
    """What the bulk routes of one plugin need.

    :param name: the name of the plugin.
    :param plural_id: the words for several of its objects in operationIds.
    :param title: the words for several of its objects in texts.
    """

    name: str
    plural_id: str
    title: str
    collection: Collection

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
        body = action.body() if action and action.body else None
        name = action.name if action else ""
        start = partial(self._start, verb, name, own_query)
        certain = self.collection.adapter.authorized_by_omni
        return Route(
            method={"patch": "PATCH", "delete": "DELETE", "action": "POST"}[verb],
            rule=f"/actions/{name}" if name else "",
            operation_id=f"{name.replace('-', '_') or verb}_many_{self.plural_id}",
            role=role,
            authorized_by_omni=certain,
            view=idempotent(_with_body(start) if body is not None else _without_body(start), certain=certain),
            summary=summary,
            description=f"{_TEXT}{f' {text}' if text else ''}",
            request=Request(
                query=bulk_query_schema(
                    f"{self.plural_id}{name.title().replace('-', '')}{verb.title()}", self.collection.filters, own_query
                ),
                body=body,
                example=action.example if action else None,
                content=content,
                headers=[IF_MATCH],
            ),
            responses=Responses(
                answers={
                    202: (OperationSchema, "Started; the operation has the outcome of each object"),
                    200: ("PlannedBulk", ""),
                },
                problems={412: "", 413: f"More than {MOST_OBJECTS} objects are selected", 422: ""},
            ),
        )

    def _start(self, verb: Verb, action: str, own_query: type[WriteQuery], arguments: Mapping[str, Any]) -> Response:
        """Carry out a bulk request: at once if it is a dry run, else in the background."""
        if verb == "patch" and not isinstance(strict_json(request, allow=PATCH_TYPES), dict):
            raise Problem(422, "validation", "A merge patch of an object is a JSON object.")
        body = b"" if verb == "delete" else request.get_data(cache=True)
        selected = self._selected(verb, arguments)
        clusters = self._clusters(selected)
        ids = [item.id for item in selected]
        own = [name for name in own_query().fields if name in request.args and name != "dry_run"]
        work = Work(
            self.name,
            verb,
            action,
            urlencode([(name, request.args[name]) for name in own]),
            request.mimetype if body else "",
            arguments["atomic"],
            arguments["parallelism"],
            arguments.get("max_failures", 0),
        )
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        principal, origin = request_context().principal, Origin.of(request)
        whole = self.collection.adapter.lists_whole_objects
        known = {item.id: item for item in selected} if whole else {}
        requests = ObjectRequests(app, principal, origin, work, body, known, clusters)
        if arguments["dry_run"]:
            found = details(work, ids, dry_run(requests, ids))
            url = f"{API_PREFIX}/{self.name}"
            planned = Operation(KIND, "", PLANNED, "Not started: this is a dry run.", target=url, details=found)
            return json_response(planned.document())
        record = BulkRecord.new(uuid.uuid4().hex, work, principal, origin, ids)
        runner_of(app).start(record, requests)
        return operation_response(record.operation())

    def _clusters(self, selected: Sequence[Resource]) -> Mapping[str, str]:
        """Return the cluster of each selected object that has one; the audit log names the one that all have."""
        owners = unscoped(current_gateway().bound(self.collection.adapter)).clusters_of(selected)
        if len({*owners}) == 1:
            note_cluster(owners[0] or "")
        return {item.id: owner for item, owner in zip(selected, owners, strict=True) if owner}

    def _selected(self, verb: Verb, arguments: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the selected objects. Raises the problems of a request that cannot be carried out."""
        if "If-Match" in request.headers:
            raise Problem(412, "stale-precondition", "Many objects have no one entity tag, so If-Match fails.")
        check_selection(arguments, self.collection.filters, request.method)
        if arguments["atomic"] and verb != "patch":
            what = "A removal" if verb == "delete" else "An action"
            raise Problem(
                422, "validation", errors={"atomic": [f"{what} cannot be taken back when another one fails."]}
            )
        adapter = current_gateway().bound(self.collection.adapter)
        found = matching_list(adapter, self.collection.query(arguments)).items
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


def _with_body(start: Callable[[Mapping[str, Any]], Response]) -> Callable[..., Response]:
    """Return a view that is called with a body, which the requests of the objects get as it came."""

    def call(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
        return start(arguments)

    return call


def _without_body(start: Callable[[Mapping[str, Any]], Response]) -> Callable[..., Response]:
    def call(arguments: Mapping[str, Any]) -> Response:
        return start(arguments)

    return call
