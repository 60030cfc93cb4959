"""A token as callers read and write it."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, Role
from omni_gateway.sdk import fields as wire


class TokenSchema(ResourceSchema):
    """A bearer token of this gateway; only a hash of it is stored. The gateway chooses its id."""

    id_optional = True

    name = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=200),
            validate.ContainsNoneOf("\0", error="Has a NUL character, which cannot be stored."),
        ],
        metadata={
            "description": "Who or what uses the token; shown to people and in the audit",
            "example": "deploy-pipeline",
        },
    )
    role = fields.String(
        load_default=Role.READER.value,
        validate=validate.OneOf([role.value for role in Role]),
        metadata={
            "description": "Role of the token; `admin` is not for tokens restricted to some clusters",
            "example": "operator",
        },
    )
    clusters = wire.ClusterPatterns(
        load_default=None,
        metadata={
            "description": "Patterns of the clusters that it may see and change, as shells write them; null: all, an"
            " empty list: none."
            " With patterns, objects of no cluster are read-only",
            "example": ["staging-*"],
        },
    )
    ttl = wire.Duration(
        load_only=True,
        metadata={"description": "Lifetime of the token, from 1m; left out: it does not expire", "example": "720h"},
    )
    created_at = wire.Timestamp(
        dump_only=True, metadata={"description": "When the token was created", "example": "2026-08-21T10:00:00Z"}
    )
    expires_at = wire.Timestamp(
        dump_only=True,
        metadata={"description": "When the token expires; null: never", "example": "2026-09-20T10:00:00Z"},
    )
    last_used_at = wire.Timestamp(
        dump_only=True,
        metadata={
            "description": "When the token was used last, to the minute; null: never",
            "example": "2026-08-21T10:00:00Z",
        },
    )
    token = fields.String(
        dump_only=True,
        metadata={"description": "Text of the token; returned once, and again for its Idempotency-Key"},
    )

    request_only = frozenset({"ttl"})
    returned_once = frozenset({"token"})
