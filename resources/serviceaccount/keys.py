"""The key of a request: created by the gateway, or the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from omni_gateway.sdk import FieldErrors
from omni_gateway.sdk.omni import key_pairs

DOMAIN = "serviceaccount.omni.sidero.dev"
PROVIDER = "infra-provider:"
PROVIDER_DOMAIN = f"infra-provider.{DOMAIN}"


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


def check(wanted: Mapping[str, Any], refusals: FieldErrors) -> None:
    """Add the errors of ``ttl`` and ``public_key`` to ``refusals``."""
    if "ttl" in wanted and not key_pairs.SHORTEST_LIFE <= _life(wanted) <= key_pairs.LONGEST_LIFE:
        refusals.add("ttl", "Must be 10m to 8760h.")
    if "public_key" in wanted:
        if "ttl" in wanted:
            refusals.add("ttl", "A key of your own contains its expiry.")
        if wrong := key_pairs.fault(wanted["public_key"]):
            refusals.add("public_key", wrong)


def chosen(name: str, wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Return the public key to register and the value to show, which is empty for a key of the caller's own."""
    if "public_key" in wanted:
        return wanted["public_key"], ""
    pair = key_pairs.make(name, identity_of(name), _life(wanted))
    return pair.public, pair.value


def _life(wanted: Mapping[str, Any]) -> timedelta:
    text = wanted.get("ttl")
    return timedelta(seconds=float(text.removesuffix("s"))) if text else key_pairs.DEFAULT_LIFE
