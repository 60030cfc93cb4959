"""An OpenID Connect provider as callers read and write it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from omni_gateway.sdk import ResourceSchema, Role
from omni_gateway.sdk import fields as wire

SCOPES = ("openid", "profile", "email")
_SHORT = validate.Length(min=1, max=200)
_TOKEN = validate.Regexp(r"^[!#-\[\]-~]+$", error="Must be a scope of RFC 6749 §3.3: no spaces, quotes or backslashes.")
_MAX_URL = 2000


def issuer(text: str) -> None:
    """Hold an issuer to OpenID Connect Discovery 1.0 §2: https, no query, no fragment; http on loopback only."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise ValidationError("Must be a URL such as https://login.example.com.") from error
    if not host or len(text) > _MAX_URL or any(character.isspace() for character in text):
        raise ValidationError("Must be a URL such as https://login.example.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValidationError("Must be an https URL; http is for loopback addresses only.")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValidationError("Must have no query, fragment, user name or password.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OIDCProviderSchema(ResourceSchema):
    """A provider of bearer tokens, as the gateway's own store keeps it.

    Who comes with a token of it has the role that `role_mapping` gives to a value of the claim `role_claim`.
    """

    id_optional = True

    name = fields.String(required=True, validate=_SHORT, metadata={"description": "What people call it"})
    issuer_url = fields.String(
        required=True,
        validate=issuer,
        metadata={"description": "The `iss` of its tokens; its discovery document is below it", "format": "uri"},
    )
    client_id = fields.String(
        required=True, validate=_SHORT, metadata={"description": "The `aud` that its tokens for this gateway have"}
    )
    scopes = fields.List(
        fields.String(validate=[_SHORT, _TOKEN]),
        load_default=lambda: list(SCOPES),
        validate=validate.Length(max=50),
        metadata={"description": "What a client asks for when it signs somebody in"},
    )
    enabled = wire.Boolean(load_default=True, metadata={"description": "Whether its tokens count"})
    role_claim = fields.String(
        load_default="role", validate=_SHORT, metadata={"description": "The claim that tells the role: text, or a list"}
    )
    role_mapping = fields.Dict(
        keys=fields.String(validate=_SHORT),
        values=fields.String(validate=validate.OneOf([role.value for role in Role])),
        load_default=dict,
        validate=validate.Length(max=1000),
        metadata={
            "description": "Value of the claim → role here; the highest one counts. Empty: the values are the roles",
            "additionalProperties": {"type": "string", "enum": [role.value for role in Role]},
        },
    )
    source = fields.String(
        dump_only=True,
        metadata={"enum": ["gateway", "omni"], "description": "`omni`: set when Omni starts, read-only here"},
    )
