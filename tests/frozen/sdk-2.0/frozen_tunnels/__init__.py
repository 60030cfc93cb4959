"""An Omni type: filter, sort key, link, sub-resource, action and computed document, watched with its filter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import (
    READ_WRITE,
    Filter,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    SpecSchema,
    SubResource,
    fields,
)
from omni_gateway.sdk.actions import Action, ComputedDocument, DryRunResult
from omni_gateway.sdk.adapters import OmniSource, id_link, select, update
from omni_gateway.sdk.omni import types

NOTE = "example.org/note"


class FrozenTunnelSchema(ResourceSchema):
    """Whether a machine reaches Omni through a gRPC tunnel."""

    enabled = fields.Boolean(metadata={"description": "Carry WireGuard traffic over gRPC", "example": True})


class FrozenLinkSchema(ResourceSchema):
    """The WireGuard link of a machine."""

    connected = fields.Boolean(dump_only=True)


class FrozenNoteSchema(SpecSchema):
    """Why a tunnel is used."""

    text = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=100))


class FrozenSummarySchema(SpecSchema):
    """A tunnel in a line."""

    summary = ma.fields.String()


class TunnelSource(OmniSource):
    """Watch with the filter of the list."""

    def matches(self, resource: Resource) -> bool:
        """Look at the filter, besides ids and labels."""
        return super().matches(resource) and wanted(self.query, resource)


class TunnelAdapter(OmniResourceAdapter):
    """Select by ``enabled``, which is no label."""

    cacheable_response = True
    watch_source_class = TunnelSource

    def list(self, query: ListQuery) -> Listing:
        """Read all, select here."""
        every = super().list(replace(query, offset=0, limit=0, filters={}))
        return select([each for each in every.items if wanted(query, each)], query, self.sortable)


def wanted(query: ListQuery, resource: Resource) -> bool:
    """Return True if the filter selects the object; an unset field is absent."""
    enabled = query.filters.get("enabled")
    return enabled is None or bool(resource.spec.get("enabled")) is enabled


def note(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Write an annotation."""

    def mutate(existing: Resource) -> Resource:
        return replace(existing, annotations={**existing.annotations, NOTE: body["text"]})

    return update(adapter, id, mutate, dry_run=dry_run)


def summary(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say it in a line."""
    tunnel = adapter.get(id)
    return {"summary": f"{id}: {'on' if tunnel.spec.get('enabled') else 'off'}"}


plugin = ResourcePlugin(
    name="frozen-tunnels",
    singular="frozen-tunnel",
    title="frozen tunnel",
    plural_title="frozen tunnels",
    description="Whether machines reach Omni through a gRPC tunnel",
    after_write="The machine uses it when it connects the next time.",
    after_delete="The default of Omni holds then.",
    group="Machines",
    schema=FrozenTunnelSchema,
    adapter=TunnelAdapter(types.GRPC_TUNNEL_CONFIGS, sortable=["enabled"], hint="Ask an administrator of Omni."),
    roles=READ_WRITE,
    filters=[Filter("enabled", "On or off", field=ma.fields.Boolean())],
    links={"machine": id_link("machines")},
    subresources=[SubResource("link", OmniResourceAdapter(types.LINKS), FrozenLinkSchema, "The link of the machine")],
    actions=[
        Action(
            "note", role=Role.OPERATOR, summary="Note why", body=FrozenNoteSchema, example={"text": "a firewall"}, run=note
        )
    ],
    documents=[ComputedDocument("summary", role=Role.READER, summary="In a line", answers=FrozenSummarySchema, run=summary)],
    example={"id": "00000000-0000-4000-8000-000000000001", "enabled": True},
    sdk=">=2.0,<3",
)
