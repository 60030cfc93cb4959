"""Keys of Omni's service accounts as routes take and return them: created by the gateway, or the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import fields, validate

from omni_gateway.omni import key_pairs
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.rest.fields import Duration
from omni_gateway.rest.schema import SpecSchema

DOMAIN = "serviceaccount.omni.sidero.dev"
#: The short name of an infrastructure provider's account begins with it.
PROVIDER = "infra-provider:"
PROVIDER_DOMAIN = f"infra-provider.{DOMAIN}"
MAX_PUBLIC_KEY = 65536


def ttl() -> Duration:
    """Return the request-only field of a key's lifetime."""
    text = "The key's lifetime: 10m to 8760h (365 days); 8736h by default"
    return Duration(load_only=True, metadata={"description": text})


def public_key() -> fields.String:
    """Return the request-only field of the caller's own public key."""
    text = "Your own armored OpenPGP public key; left out, the gateway creates a pair and returns `key`"
    return fields.String(load_only=True, validate=validate.Length(max=MAX_PUBLIC_KEY), metadata={"description": text})


def key() -> fields.String:
    """Return the field of a new key's value, which is returned once."""
    text = "`OMNI_SERVICE_ACCOUNT_KEY` of the new key: returned once, and again for its Idempotency-Key"
    return fields.String(dump_only=True, metadata={"description": text})


class RenewalSchema(SpecSchema):
    """The new key: its lifetime, or the caller's own key."""

    body_optional: ClassVar[bool] = True

    ttl = ttl()
    public_key = public_key()


def provider_of(id: str) -> str:
    """Return the short name of the account of an infrastructure provider."""
    return PROVIDER + id


def identity_of(name: str) -> str:
    """Return the full name of an account in Omni."""
    if name.startswith(PROVIDER):
        return f"{name.removeprefix(PROVIDER)}@{PROVIDER_DOMAIN}"
    return f"{name}@{DOMAIN}"


def short_name(id: str) -> str:
    """Return the name without Omni's suffix, which must not be sent twice."""
    if id.endswith(f"@{PROVIDER_DOMAIN}"):
        return PROVIDER + id.removesuffix(f"@{PROVIDER_DOMAIN}")
    return id.removesuffix(f"@{DOMAIN}")


def check(wanted: Mapping[str, Any], field_errors: FieldErrors) -> None:
    """Add the errors of ``ttl`` and ``public_key`` to ``field_errors``."""
    if "ttl" in wanted and not key_pairs.SHORTEST_LIFE <= _life(wanted) <= key_pairs.LONGEST_LIFE:
        field_errors.add("ttl", "Must be 10m to 8760h.")
    if "public_key" in wanted:
        if "ttl" in wanted:
            field_errors.add("ttl", "A key of your own contains its expiry.")
        if wrong := key_pairs.fault(wanted["public_key"]):
            field_errors.add("public_key", wrong)


def make(name: str, wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Return the public key to register for the account ``name`` and the value to show.

    The value is empty if ``wanted`` has a key of the caller's own.
    """
    if "public_key" in wanted:
        return wanted["public_key"], ""
    pair = key_pairs.make(name, identity_of(name), _life(wanted))
    return pair.public, pair.value


def _life(wanted: Mapping[str, Any]) -> timedelta:
    text = wanted.get("ttl")
    return timedelta(seconds=float(text.removesuffix("s"))) if text else key_pairs.DEFAULT_LIFE
