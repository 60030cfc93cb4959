"""The action renew: another key for a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import FieldErrors, Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.omni import account_keys
from resources.infraprovider.adapter import InfraProviderAdapter, has_account, register


def renew(adapter: InfraProviderAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Add a key to the provider's account, which is created if there is none, and return its value once."""
    provider = adapter.get(id)
    wanted = {name: value for name, value in body.items() if value is not None}
    refusals = FieldErrors()
    account_keys.check(wanted, refusals)
    refusals.raise_if_any()
    if dry_run:
        return DryRunResult(provider, provider)
    name = account_keys.provider_of(id)
    public, value = account_keys.make(name, wanted)
    if has_account(adapter.omni, id):
        adapter.omni.management.renew_service_account(name, public)
    else:
        register(adapter.omni, id, public)
    return adapter.with_key(provider, value)


RENEW = Action(
    "renew",
    role=Role.ADMIN,
    summary="Add a key to a provider's service account; its old keys stay valid until they expire",
    body=account_keys.RenewalSchema,
    example={"ttl": "720h"},
    returned_once=("key",),
    description="The private half of the new key is returned once. A provider without a service account, such as one"
    " that was made by `/resources/{type}`, gets it.",
    run=renew,
)
