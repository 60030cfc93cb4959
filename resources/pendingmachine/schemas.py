"""A pending machine as callers read it (``specs.SiderolinkSpec``, without the token that binds the machine to it)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class PendingMachineSchema(ResourceSchema):
    """A machine that has connected, with its temporary tunnel."""

    node_subnet = fields.String(metadata={"description": "The machine's address inside the tunnel"})
    node_public_key = fields.String(metadata={"description": "The machine's WireGuard key (public)"})
    last_endpoint = fields.String(metadata={"description": "Where the machine's packets came from last"})
    connected = wire.Boolean()
    virtual_addrport = fields.String(metadata={"description": "Its address where the tunnel goes over gRPC"})
    remote_addr = fields.String(metadata={"description": "Where the machine came from when it joined"})
