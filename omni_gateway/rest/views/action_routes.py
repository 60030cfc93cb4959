"""Mount what a plugin adds to its declaration: actions and computed documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import marshmallow as ma

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.parser import GatewayBlueprint
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
    documented,
    or_dry_run,
)


class Mounting(Protocol):
    """What the routes are added to; see :class:`omni_gateway.rest.service_plugin.ServicePlugin`."""

    adapter: ResourceAdapter
    schema: ResourceSchema
    representation: Representation
    blueprint: GatewayBlueprint

    @property
    def plural_id(self) -> str:
        """Return the plural as it stands in operationIds."""

    @property
    def singular_id(self) -> str:
        """Return the singular as it stands in operationIds."""


@dataclass(frozen=True, slots=True)
class Action:
    """A POST that is no create."""

    name: str
    role: Role
    summary: str
    body: ma.Schema | None
    example: Mapping[str, Any] | None
    answers: type[ma.Schema] | None
    operation: bool
    on_collection: bool
    returned_once: frozenset[str]
    cluster_independent: bool
    description: str


@dataclass(frozen=True, slots=True)
class Computed:
    """A GET that no single object of the back end answers."""

    path: str
    role: Role
    summary: str
    answers: type[ma.Schema] | None
    media_type: str | None
    query: type[ma.Schema] | None
    on_collection: bool
    cluster_independent: bool
    description: str


def mount_action(plugin: Mounting, function: Callable[..., Any], action: Action) -> None:
    """Add the route of an action; it takes an Idempotency-Key as every declared POST does."""
    if action.operation:
        answers: dict[int, tuple[Any, str]] = {202: (OperationSchema, "Under way"), **DRY_RUN}
    else:
        answers = {200: (or_dry_run(action.answers or plugin.schema), "Done")}
    view = actions.action_view(
        plugin.adapter,
        plugin.representation,
        function,
        with_body=action.body is not None,
        writes=action.role > Role.READER,
        cluster_independent=action.cluster_independent,
    )
    word = action.name.replace("-", "_")
    guarded = documented(
        plugin.blueprint,
        idempotent(view, forget=action.returned_once, certain=plugin.adapter.authorized_by_omni),
        role=action.role,
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id=f"{word}_{plugin.plural_id if action.on_collection else plugin.singular_id}",
        summary=action.summary,
        description=action.description,
        query=WriteQuery(),
        body=action.body,
        body_example=action.example,
        answers=answers,
        problems={
            404: "No such object",
            409: "Not in its present state",
            422: "Refused",
            412: FAILED_PRECONDITION,
        },
        parameters=[] if action.on_collection else [IF_MATCH, IF_NONE_MATCH_WRITE],
    )
    rule = f"/actions/{action.name}" if action.on_collection else f"/<id>/actions/{action.name}"
    plugin.blueprint.add_url_rule(rule, endpoint=f"action-{action.name}", view_func=guarded, methods=["POST"])


def mount_computed(plugin: Mounting, function: Callable[..., Any], computed: Computed) -> None:
    """Add the route of a computed document."""
    answer: Any = computed.answers() if computed.answers else None
    view = actions.computed_view(
        plugin.adapter,
        plugin.representation,
        function,
        writes=computed.role > Role.READER,
        cluster_independent=computed.cluster_independent,
    )
    word = re.sub(r"[<>:]", "", computed.path).replace("-", "_").replace("/", "_")
    whose = plugin.plural_id if computed.on_collection and word else plugin.singular_id
    guarded = documented(
        plugin.blueprint,
        view,
        role=computed.role,
        authorized_by_omni=plugin.adapter.authorized_by_omni,
        operation_id="_".join(part for part in ("get", whose, word) if part),
        summary=computed.summary,
        description=computed.description,
        query=(computed.query or NoQuery)(),
        answers={200: (answer, computed.summary)},
        media_types=(computed.media_type,) if computed.media_type else (),
        problems={404: "No such object", 409: "Not in its present state"},
    )
    words = [part for part in ("" if computed.on_collection else "<id>", computed.path) if part]
    rule = "".join(f"/{part}" for part in words)
    plugin.blueprint.add_url_rule(rule, endpoint=f"computed-{word}", view_func=guarded, methods=["GET"])
