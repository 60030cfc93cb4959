"""An OpenID Connect provider as callers read and write it."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from omni_gateway.sdk import ResourceSchema, Role, SpecSchema
from omni_gateway.sdk import fields as wire

SCOPES = ("openid", "profile", "email")
_SHORT = validate.Length(min=1, max=200)
_TOKEN = validate.Regexp(r"^[!#-\[\]-~]+$", error="Must be a scope of RFC 6749 §3.3: no spaces, quotes or backslashes.")
_MAX_URL = 2000
_MOST_WORDS = 10


def issuer(text: str) -> None:
    """Validate an issuer by OpenID Connect Discovery 1.0 §2: https, no query, no fragment; http on loopback only."""
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


def _path(text: str) -> None:
    if text.count(".") >= _MOST_WORDS:
        raise ValidationError(f"Must have at most {_MOST_WORDS} words between its dots.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OIDCProviderSchema(ResourceSchema):
    """A provider of bearer tokens, in the gateway's own store.

    A caller with one of its tokens has the role to which `role_mapping` maps a value of the claim `role_claim`.
    """

    id_optional = True

    name = fields.String(
        required=True,
        validate=_SHORT,
        metadata={"description": "Display name of the provider", "example": "Corporate sign-in"},
    )
    issuer_url = fields.String(
        required=True,
        validate=issuer,
        metadata={
            "description": "The `iss` of its tokens; its discovery document is below it",
            "format": "uri",
            "example": "https://login.example.com",
        },
    )
    client_id = fields.String(
        required=True,
        validate=_SHORT,
        metadata={"description": "The `aud` that its tokens for this gateway have", "example": "omni-gateway"},
    )
    scopes = fields.List(
        fields.String(validate=[_SHORT, _TOKEN]),
        load_default=lambda: list(SCOPES),
        validate=validate.Length(max=50),
        metadata={"description": "The scopes that a client requests at sign-in"},
    )
    enabled = wire.Boolean(load_default=True, metadata={"description": "Whether its tokens are accepted"})
    role_claim = fields.String(
        load_default="role",
        validate=[_SHORT, _path],
        metadata={
            "description": "The claim with the role: text, or a list of texts. Dots lead into objects"
            " (`realm_access.roles`). A caller without a role is authenticated, and may do nothing (403)",
            "example": "groups",
        },
    )
    role_mapping = fields.Dict(
        keys=fields.String(validate=_SHORT),
        values=fields.String(validate=validate.OneOf([role.value for role in Role])),
        load_default=dict,
        validate=validate.Length(max=1000),
        metadata={
            "description": "Value of the claim → role here; the highest one counts. Empty: the values are the roles",
            "additionalProperties": {"type": "string", "enum": [role.value for role in Role]},
            "example": {"platform-admins": "admin", "developers": "reader"},
        },
    )
    clusters = wire.ClusterPatterns(
        load_default=None,
        metadata={
            "description": "Patterns of the clusters that its callers may touch (`prod-*`); null: every one, []: none"
        },
    )
    clusters_claim = fields.String(
        load_default="",
        validate=[validate.Length(max=200), _path],
        metadata={
            "description": "The claim that has such patterns for each caller, a path like `role_claim`; who has none"
            " may touch no cluster. Empty: `clusters` counts",
            "example": "omni_clusters",
        },
    )
    source = fields.String(
        dump_only=True,
        metadata={
            "enum": ["gateway", "omni"],
            "description": "`omni`: set when Omni starts, read-only here",
            "example": "gateway",
        },
    )


class ProviderTestStepSchema(SpecSchema):
    """One step of the test."""

    name = fields.String(
        metadata={
            "enum": [
                "discovery-address",
                "discovery-document",
                "issuer",
                "keys-address",
                "keys-document",
                "keys",
            ],
            "description": "Addresses are allowed; documents were read; the issuer matches; the keys are usable",
            "example": "keys",
        }
    )
    ok = fields.Boolean(metadata={"description": "Whether the step went well", "example": True})
    detail = fields.String(
        metadata={"description": "The result or the error, for people", "example": "2 keys that can be used"}
    )


class ProviderTestSchema(SpecSchema):
    """Whether a provider's tokens can be verified."""

    ok = fields.Boolean(metadata={"description": "Whether all steps went well", "example": True})
    counts = fields.Boolean(
        metadata={
            "description": "Whether its tokens are accepted: it is enabled, and `OMNI_GATEWAY_AUTH` has `oidc`",
            "example": True,
        }
    )
    steps = fields.List(
        fields.Nested(ProviderTestStepSchema), metadata={"description": "In order; the first that fails is the last"}
    )
