"""A join token as callers read and write it (``specs.JoinTokenSpec``, ``specs.JoinTokenStatusSpec``)."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire


class JoinTokenState(IntEnum):
    """Values of ``JoinTokenStatusSpec.State``."""

    UNKNOWN = 0
    ACTIVE = 1
    REVOKED = 2
    EXPIRED = 3


class JoinTokenWarningSchema(SpecSchema):
    """A machine that would be affected without the token."""

    machine = fields.String(
        metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"}
    )
    message = fields.String(
        metadata={
            "description": "Why the machine could not join again without this token; for people",
            "example": "Does not have the node unique token",
        }
    )


class JoinTokenSchema(ResourceSchema):
    """A join token without its secret; the id is a handle: the first half of the secret's SHA-256."""

    id = fields.String(
        dump_only=True,
        metadata={
            "description": "Handle of the token; Omni's own id is the secret",
            "example": "0f8c1d5a9b3e4c7d8e6f2a1b0c9d8e7f",
        },
    )
    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=16),
        metadata={"description": "Name for people, 1 to 16 bytes; need not be unique", "example": "rack-7"},
    )
    expiration_time = wire.Timestamp(
        metadata={"description": "When the token ends; null or left out: never", "example": "2030-01-01T00:00:00Z"}
    )
    revoked = wire.Boolean(
        metadata={"description": "Whether it is revoked: no machine can join with it", "example": False}
    )
    masked_id = fields.String(
        dump_only=True, metadata={"description": "First characters of the token, to recognise it", "example": "w7uV***"}
    )
    state = wire.Enum(
        JoinTokenState,
        dump_only=True,
        metadata={"description": "Whether machines can join with the token now", "example": "ACTIVE"},
    )
    is_default = wire.Boolean(
        dump_only=True, metadata={"description": "Whether new installation media use it", "example": False}
    )
    use_count = wire.Int64(dump_only=True, metadata={"description": "Machines that joined with it", "example": 0})
    warnings = fields.List(
        fields.Nested(JoinTokenWarningSchema),
        dump_only=True,
        metadata={"description": "Machines that could not join again if the token were revoked or removed"},
    )
    token = fields.String(dump_only=True, metadata={"description": "The token; returned only once"})

    returned_once = frozenset({"token"})
