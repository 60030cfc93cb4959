"""A service account as callers read and write it (``ManagementService.ListServiceAccounts``)."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import account_keys

ROLES = ("None", "InfraProvider", "Reader", "Auditor", "Operator", "Admin")


class ServiceAccountKeySchema(SpecSchema):
    """A public key of an account."""

    id = fields.String(
        metadata={
            "description": "Fingerprint of the public key, in hex",
            "example": "8a3f2c5d7e9b1a4c6d8e0f2a4b6c8d0e2f4a6b8c",
        }
    )
    expiration = wire.Timestamp(metadata={"description": "When the key expires", "example": "2027-08-21T10:00:00Z"})
    created = wire.Timestamp(
        metadata={
            "description": "When the key was registered; null with an Omni that does not report it",
            "example": "2026-08-21T10:00:00Z",
        }
    )
    last_used = wire.Timestamp(
        metadata={
            "description": "When the key was used last; null: never, or not reported",
            "example": "2026-08-21T10:00:00Z",
        }
    )


class ServiceAccountSchema(ResourceSchema):
    """An identity of a script or a program. Its id is the short name: `automation`."""

    role = fields.String(
        required=True,
        validate=validate.OneOf(ROLES),
        metadata={
            "description": "The account's role in Omni; an account with the role `InfraProvider` is made with its"
            " provider, at `/infra-providers`",
            "example": "Operator",
        },
    )
    aliases = {"name": "id"}
    name = fields.String(
        dump_only=True,
        metadata={
            "description": "Short name of the account; second name of the id, can be written too",
            "example": "automation",
        },
    )
    roles = fields.List(
        fields.String(), dump_only=True, metadata={"description": "The one role, as a list", "example": ["Operator"]}
    )
    created_at = wire.Timestamp(
        dump_only=True,
        metadata={"description": "When the account's oldest key was made", "example": "2026-08-21T10:00:00Z"},
    )
    identity = fields.String(
        dump_only=True,
        metadata={
            "description": "Full name of the account in Omni",
            "example": "automation@serviceaccount.omni.sidero.dev",
        },
    )
    public_keys = fields.List(
        fields.Nested(ServiceAccountKeySchema),
        dump_only=True,
        metadata={"description": "Public keys of the account, expired ones included until Omni removes them"},
    )
    last_active = fields.String(
        dump_only=True,
        metadata={"description": "When the account called Omni last; empty: never", "example": "2026-08-21T10:00:00Z"},
    )
    key = account_keys.key()
    ttl = account_keys.ttl()
    public_key = account_keys.public_key()

    request_only = frozenset({"ttl", "public_key"})
    returned_once = frozenset({"key"})
