"""Two plugins without a mistake: what the planted ones would be.

Racks are objects of the gateway's store: they have all verbs, a secret, a dry run of an action, a computed document and
views of their own. Tunnels are objects of Omni's. Each plugin of :mod:`tests.kit.planted` is one of the two with one
mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import validate

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    SpecSchema,
    fields,
    require_role,
)
from omni_gateway.sdk.actions import Action, ComputedDocument, DryRunResult, current_gateway, idempotent
from omni_gateway.sdk.adapters import StoredResourceAdapter, label_filter, label_link, update
from omni_gateway.sdk.omni import label_names, types

WATTS_PER_UNIT = 350


class RackContactSchema(SpecSchema):
    """Who to call about a rack."""

    name = ma.fields.String()
    phone = ma.fields.String()


class RackSchema(ResourceSchema):
    """A rack of machines."""

    title = ma.fields.String(required=True)
    units = fields.Integer(validate=validate.Range(min=0, max=60))  # 0: not known
    contact = fields.Message(RackContactSchema)
    password = fields.Secret(metadata={"description": "Of its power strip"})
    inspected_by = ma.fields.String(dump_only=True)
    visitors = ma.fields.List(ma.fields.String(), dump_only=True)


class RackInspectionSchema(SpecSchema):
    """Who has inspected a rack."""

    inspector = ma.fields.String(required=True)


class RackVisitSchema(SpecSchema):
    """A visit to a rack."""

    visitor = ma.fields.String(required=True)


class RackVisitorsSchema(SpecSchema):
    """The visitors of a rack."""

    visitors = ma.fields.List(ma.fields.String())


class RackPowerSchema(SpecSchema):
    """What a rack may draw."""

    watts = fields.Integer()


class RackNoQuerySchema(SpecSchema):
    """No parameters."""


class RackAdapter(StoredResourceAdapter):
    """Racks in the gateway's store."""

    def __init__(self, name: str) -> None:
        super().__init__(f"omni-gateway-tests/{name}", sortable=frozenset({"title", "units"}))


def inspect(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Note who has inspected a rack."""

    def mutate(existing: Resource) -> Resource:
        return replace(existing, spec={**existing.spec, "inspected_by": body["inspector"]})

    return update(adapter, id, mutate, dry_run=dry_run)


def power(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a rack may draw."""
    return {"watts": adapter.get(id).spec.get("units", 0) * WATTS_PER_UNIT}


INSPECT = Action(
    "inspect",
    role=Role.OPERATOR,
    summary="Note who has inspected a rack",
    body=RackInspectionSchema,
    example={"inspector": "ada"},
    run=inspect,
)
POWER = ComputedDocument("power", role=Role.READER, summary="What it may draw", answers=RackPowerSchema, run=power)

PLATE = {200: {"description": "The text of its plate", "content": {"text/plain": {"schema": {"type": "string"}}}}}

#: Adds views of a plugin's own to its blueprint.
Views = Callable[[ResourcePlugin], None]


def plate(plugin: ResourcePlugin) -> None:
    """Add ``GET /racks/<id>/plate``: the text of a rack's plate."""

    @plugin.blueprint.get("/<id>/plate")
    @require_role(Role.READER)
    @plugin.blueprint.doc(operationId=f"get_{plugin.singular_id}_plate", responses=PLATE)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def show_plate(query: Mapping[str, Any], id: str) -> Response:
        rack = current_gateway().reading(plugin.adapter).get(id)
        return Response(f"{rack.id}: {rack.spec['title']}\n", mimetype="text/plain")


def visits(plugin: ResourcePlugin) -> None:
    """Add ``POST /racks/<id>/visits``: sign a rack's visitors' book."""

    @plugin.blueprint.post("/<id>/visits")
    @require_role(Role.OPERATOR)
    @idempotent
    @plugin.blueprint.doc(operationId=f"visit_{plugin.singular_id}")
    @plugin.blueprint.response(200, RackVisitorsSchema)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    @plugin.blueprint.arguments(RackVisitSchema)
    def sign(query: Mapping[str, Any], body: Mapping[str, Any], id: str) -> Mapping[str, Any]:
        return signed(plugin, id, body["visitor"])


def signed(plugin: ResourcePlugin, id: str, visitor: str) -> Mapping[str, Any]:
    """Sign a rack's visitors' book, and return it."""
    adapter = current_gateway().bound(plugin.adapter)

    def mutate(existing: Resource) -> Resource:
        return replace(existing, spec={**existing.spec, "visitors": [*existing.spec.get("visitors", []), visitor]})

    written = update(adapter, id, mutate)
    assert isinstance(written, Resource)
    return {"visitors": written.spec["visitors"]}


def racks(
    mistake: str = "",
    adapter: Callable[[str], ResourceAdapter] = RackAdapter,
    *,
    schema: type[ResourceSchema] = RackSchema,
    actions: Sequence[Action] = (INSPECT,),
    documents: Sequence[ComputedDocument] = (POWER,),
    views: Sequence[Views] = (plate, visits),
    roles: Mapping[str, Role] = READ_WRITE,
) -> ResourcePlugin:
    """Return the plugin of racks; with the name of a mistake one that can be in a gateway beside the others."""
    plugin = ResourcePlugin(
        name=f"racks-{mistake}" if mistake else "racks",
        singular=f"rack-{mistake}" if mistake else "rack",
        description="Racks of machines.",
        schema=schema,
        adapter=adapter(mistake or "sound"),
        roles=roles,
        filters=[label_filter("cluster", label_names.LABEL_CLUSTER)],
        links={"cluster": label_link("clusters", label_names.LABEL_CLUSTER)},
        actions=actions,
        documents=documents,
        example={"id": "rack-a", "title": "Row 1, rack A", "units": 42, "password": "correct horse"},
        sdk=">=2.0,<3",
    )
    for add in views:
        add(plugin)
    return plugin


class TunnelSchema(ResourceSchema):
    """How a machine reaches Omni."""

    enabled = fields.Boolean()


class TunnelAdapter(OmniResourceAdapter):
    """Omni's settings of gRPC tunnels."""

    def __init__(self) -> None:
        super().__init__(types.GRPC_TUNNEL_CONFIGS, sortable=("enabled",))


def tunnels(mistake: str = "", adapter: Callable[[], ResourceAdapter] = TunnelAdapter) -> ResourcePlugin:
    """Return the plugin of tunnels; with the name of a mistake one that can be in a gateway beside the others."""
    return ResourcePlugin(
        name=f"tunnels-{mistake}" if mistake else "tunnels",
        singular=f"tunnel-{mistake}" if mistake else "tunnel",
        description="Whether a machine reaches Omni by a gRPC tunnel.",
        schema=TunnelSchema,
        adapter=adapter(),
        roles=READ_WRITE,
        filters=[label_filter("cluster", label_names.LABEL_CLUSTER)],
        example={"id": "00000000-0000-4000-8000-00000000abcd", "enabled": True},
        sdk=">=2.0,<3",
    )


sound_racks = racks()
sound_tunnels = tunnels()
