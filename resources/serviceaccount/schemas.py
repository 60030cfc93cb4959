"""A service account as callers read and write it (``ManagementService.ListServiceAccounts``)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire

ROLES = ("None", "InfraProvider", "Reader", "Auditor", "Operator", "Admin")


def ttl() -> Any:
    """Return the field of a key's life."""
    text = "The key's lifetime: 10m to 8760h (365 days); 8736h by default"
    return wire.Duration(load_only=True, metadata={"description": text})


def public_key() -> Any:
    """Return the field of the caller's own key."""
    text = "Your own armored OpenPGP public key; left out, the gateway creates a pair and returns `key`"
    return fields.String(load_only=True, validate=validate.Length(max=65536), metadata={"description": text})


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
    """An identity of a script or a program. Its id is the short name: `automation`, `infra-provider:metal`."""

    role = fields.String(
        required=True,
        validate=validate.OneOf(ROLES),
        metadata={
            "description": "The account's role in Omni; `InfraProvider` for the names that begin with"
            " `infra-provider:`",
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
    key = fields.String(
        dump_only=True,
        metadata={
            "description": "`OMNI_SERVICE_ACCOUNT_KEY` of the new key: returned once, and again for its Idempotency-Key"
        },
    )
    ttl = ttl()
    public_key = public_key()

    request_only = frozenset({"ttl", "public_key"})
    returned_once = frozenset({"key"})
