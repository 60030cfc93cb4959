"""The action renew: another key for an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import FieldErrors, Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.omni import account_keys
from resources.serviceaccount.adapter import ServiceAccountAdapter


def renew(
    adapter: ServiceAccountAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Resource | DryRunResult:
    """Add a key and return its value once; 404 for an account that does not exist (``Unknown`` in Omni)."""
    account = adapter.get(id)
    wanted = {name: value for name, value in body.items() if value is not None}
    refusals = FieldErrors()
    account_keys.check(wanted, refusals)
    refusals.raise_if_any()
    if dry_run:
        return DryRunResult(account, account)
    public, value = account_keys.make(account.id, wanted)
    key = adapter.omni.management.renew_service_account(account.id, public)
    return adapter.with_key(account, key, value)


RENEW = Action(
    "renew",
    role=Role.ADMIN,
    summary="Add a key to an account; its old keys stay valid until they expire",
    body=account_keys.RenewalSchema,
    example={"ttl": "720h"},
    returned_once=("key",),
    description="The private half of the new key is returned once; the account's clients can change to it while the old"
    " keys are still valid.",
    run=renew,
)
