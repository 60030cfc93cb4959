"""A SAML label rule as callers read and write it (``specs.SAMLLabelRuleSpec``)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class SAMLLabelRuleSchema(ResourceSchema):
    """Users whose labels match get a role."""

    match_labels = fields.List(
        fields.String(validate=validate.Length(min=1)),
        required=True,
        validate=validate.Length(min=1),
        metadata={
            "description": "Selectors over a user's labels; one that matches is enough",
            "example": ["saml.omni.sidero.dev/groups/omni-admins"],
        },
    )
    assign_role = fields.String(
        required=True,
        metadata={"description": "The role given: `None`, `Reader`, `Operator` or `Admin`", "example": "Operator"},
    )
    update_on_each_login = wire.Boolean(
        metadata={
            "description": "Assign it at each login, not only at the first: overwrites changes by hand",
            "example": True,
        }
    )
    assign_role_on_registration = fields.String(
        metadata={
            "description": "The name that `assign_role` had in an older Omni, which a newer one refuses",
            "example": "",
        }
    )


EXAMPLE: dict[str, Any] = {
    "id": "admins",
    "match_labels": ["saml.omni.sidero.dev/groups/omni-admins"],
    "assign_role": "Operator",
    "update_on_each_login": True,
}
