"""A user as callers read and write it (``ManagementService.ListUsers``)."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema

ROLES = ("None", "Reader", "Auditor", "Operator", "Admin")


class UserSchema(ResourceSchema):
    """A person; the id is the e-mail address, in lower case."""

    role = fields.String(
        required=True,
        validate=validate.OneOf(ROLES),
        metadata={"description": "The user's role in Omni", "example": "Reader"},
    )
    user_id = fields.String(
        dump_only=True,
        metadata={"description": "Omni's own id of the user", "example": "6b1e3f52-0c5d-4a77-9d5e-2f1b7c8a9e30"},
    )
    saml_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        dump_only=True,
        metadata={
            "description": "Labels that SAML gave the user at sign-in",
            "additionalProperties": {"type": "string"},
            "example": {"saml.omni.sidero.dev/groups/developers": ""},
        },
    )
    last_active = fields.String(
        dump_only=True,
        metadata={
            "description": "When the user was last seen by Omni; empty: never",
            "example": "2026-08-21T10:00:00Z",
        },
    )
