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

    machine = fields.String()
    message = fields.String()


class JoinTokenSchema(ResourceSchema):
    """A join token without its secret; the id is a handle: the first half of the secret's SHA-256."""

    id = fields.String(dump_only=True, metadata={"description": "Handle of the token; Omni's own id is the secret"})
    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=16),
        metadata={"description": "1 to 16 bytes; need not be unique"},
    )
    expiration_time = wire.Timestamp(metadata={"description": "When it ends; left out: never"})
    revoked = wire.Boolean(metadata={"description": "Whether it is revoked: no machine can join with it"})
    masked_id = fields.String(dump_only=True, metadata={"description": "The first characters of the token"})
    state = wire.Enum(JoinTokenState, dump_only=True)
    is_default = wire.Boolean(dump_only=True, metadata={"description": "Whether new installation media use it"})
    use_count = wire.Int64(dump_only=True, metadata={"description": "Machines that joined with it"})
    warnings = fields.List(fields.Nested(JoinTokenWarningSchema), dump_only=True)
    token = fields.String(dump_only=True, metadata={"description": "The token; returned only once"})

    returned_once = frozenset({"token"})
