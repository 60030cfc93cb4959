"""An infrastructure provider as callers read and write it (``specs.InfraProviderCombinedStatusSpec``)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import account_keys


class InfraProviderSchema(ResourceSchema):
    """An infrastructure provider. Its id is the short name without `infra-provider:`."""

    name = fields.String(
        dump_only=True,
        metadata={"description": "The name that its program reports; empty until it does", "example": "Bare metal"},
    )
    description = fields.String(
        dump_only=True,
        metadata={"description": "What its program reports about itself", "example": "Machines of the lab"},
    )
    version = fields.String(
        dump_only=True, metadata={"description": "Version that its program reports", "example": "v0.9.0"}
    )
    icon = fields.String(dump_only=True, metadata={"description": "Icon that its program reports: SVG", "example": ""})
    connected = wire.Boolean(
        dump_only=True, metadata={"description": "Whether its program has called Omni of late", "example": True}
    )
    initialized = wire.Boolean(
        dump_only=True, metadata={"description": "Whether its program has reported itself ever", "example": True}
    )
    error = fields.String(
        dump_only=True, metadata={"description": "The error that its program reports; empty: none", "example": ""}
    )
    key = account_keys.key()
    ttl = account_keys.ttl()
    public_key = account_keys.public_key()

    request_only = frozenset({"ttl", "public_key"})
    returned_once = frozenset({"key"})
