"""Add the routes of a plugin's actions and computed documents to its blueprint."""

from __future__ import annotations

import re
from typing import Any, Protocol

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.operations import OperationSchema
from omni_gateway.rest.parameters import NoQuery, WriteQuery
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views import actions
from omni_gateway.rest.views.openapi import (
    DRY_RUN,
    FAILED_PRECONDITION,
    IF_MATCH,
    IF_NONE_MATCH_WRITE,
    or_dry_run,
)
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.route import Request, Responses, Route


class Mounting(Protocol):
    """The part of :class:`omni_gateway.rest.service_plugin.ServicePlugin` that its routes are built from."""

    adapter: ResourceAdapter
    schema: ResourceSchema
    representation: Representation
    blueprint: GatewayBlueprint

    @property
    def plural_id(self) -> str:
        """Return the plural form used in operationIds."""

    @property
    def singular_id(self) -> str:
        """Return the singular form used in operationIds."""


def mount_action(plugin: Mounting, action: Action) -> None:
    """Add the route of an action; like every declared POST it takes an ``Idempotency-Key``."""
    if action.operation is not None:
        answers: dict[int, tuple[Any, str]] = {202: (OperationSchema, "Started"), **DRY_RUN}
    else:
        answers = {200: (or_dry_run(action.answers or plugin.schema), "Done")}
    view = actions.action_view(
        plugin.adapter,
        plugin.representation,
        action.run,
        with_body=action.body is not None,
        writes=action.role > Role.READER,
        cluster_independent=action.cluster_independent,
    )
    word = action.name.replace("-", "_")
    route = Route(
        method="POST",
        rule=f"/actions/{action.name}" if action.on_collection else f"/<id>/actions/{action.name}",
        operation_id=f"{word}_{plugin.plural_id if action.on_collection else plugin.singular_id}",
        role=action.role,
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        view=idempotent(view, forget=frozenset(action.returned_once), certain=plugin.adapter.authorized_by_omni),
        summary=action.summary,
        description=action.description,
        request=Request(
            query=WriteQuery(),
            body=action.body() if action.body else None,
            example=action.example,
            headers=[] if action.on_collection else [IF_MATCH, IF_NONE_MATCH_WRITE],
        ),
        responses=Responses(
            answers=answers,
            problems={
                404: "No such object",
                409: "Not possible in the object's present state",
                412: FAILED_PRECONDITION,
                422: "A field or parameter is invalid, or Omni rejects the value",
            },
        ),
    )
    add(plugin.blueprint, route)


def mount_computed(plugin: Mounting, computed: ComputedDocument) -> None:
    """Add the route of a computed document."""
    answer: Any = computed.answers() if computed.answers else None
    view = actions.computed_view(
        plugin.adapter,
        plugin.representation,
        computed.run,
        writes=computed.role > Role.READER,
        cluster_independent=computed.cluster_independent,
    )
    word = re.sub(r"[<>:]", "", computed.path).replace("-", "_").replace("/", "_")
    noun = plugin.plural_id if computed.on_collection and word else plugin.singular_id
    parts = [part for part in ("" if computed.on_collection else "<id>", computed.path) if part]
    route = Route(
        method="GET",
        rule="".join(f"/{part}" for part in parts),
        operation_id="_".join(part for part in ("get", noun, word) if part),
        role=computed.role,
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        view=view,
        summary=computed.summary,
        description=computed.description,
        request=Request(query=(computed.query or NoQuery)()),
        responses=Responses(
            answers={200: (answer, computed.summary)},
            media_types=(computed.media_type,) if computed.media_type else (),
            problems={404: "No such object", 409: "Not possible in the object's present state"},
        ),
    )
    add(plugin.blueprint, route)
