"""A pending machine as callers read it (``specs.SiderolinkSpec``, without the token that binds the machine to it)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class PendingMachineSchema(ResourceSchema):
    """A machine that has connected, with its temporary tunnel."""

    node_subnet = fields.String(
        metadata={
            "description": "Temporary address of the machine in SideroLink, Omni's WireGuard network, with prefix"
            " length",
            "example": "fdae:41e4:649b:9303:7396:c9b4:213a:2a86/64",
        }
    )
    node_public_key = fields.String(
        metadata={
            "description": "WireGuard public key of the machine, in base64",
            "example": "Zk3h0mVd8uQYqkq0y7GmJc0n1l5T2w4xR6vB9pE8sUo=",
        }
    )
    last_endpoint = fields.String(
        metadata={
            "description": "Address and port that the machine's packets came from last",
            "example": "192.0.2.7:51820",
        }
    )
    connected = wire.Boolean(metadata={"description": "Whether the temporary tunnel is up now", "example": True})
    virtual_addrport = fields.String(
        metadata={
            "description": "Address and port that stand for the machine where its tunnel goes over gRPC; empty with"
            " plain WireGuard",
            "example": "",
        }
    )
    remote_addr = fields.String(
        metadata={"description": "Address that the machine had when it connected", "example": "192.0.2.7"}
    )
