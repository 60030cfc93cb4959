"""The action renew: another key for an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from omni_gateway.sdk import FieldErrors, Resource, Role, SpecSchema
from omni_gateway.sdk.actions import Action, DryRunResult
from resources.serviceaccount import keys
from resources.serviceaccount.adapter import ServiceAccountAdapter
from resources.serviceaccount.schemas import public_key, ttl


class RenewalSchema(SpecSchema):
    """The new key: its lifetime, or the caller's own key."""

    body_optional: ClassVar[bool] = True

    ttl = ttl()
    public_key = public_key()


def renew(
    adapter: ServiceAccountAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Resource | DryRunResult:
    """Add a key and return its value once; 404 for an account that does not exist (``Unknown`` in Omni)."""
    account = adapter.get(id)
    wanted = {name: value for name, value in body.items() if value is not None}
    refusals = FieldErrors()
    keys.check(wanted, refusals)
    refusals.raise_if_any()
    if dry_run:
        return DryRunResult(account, account)
    public, value = keys.chosen(account.id, wanted)
    key = adapter.omni.management.renew_service_account(account.id, public)
    return adapter.with_key(account, key, value)


RENEW = Action(
    "renew",
    role=Role.ADMIN,
    summary="Add a key to an account; its old keys stay valid until they expire",
    body=RenewalSchema,
    example={"ttl": "720h"},
    returned_once=("key",),
    description="The private half of the new key is returned once; the account's clients can change to it while the old"
    " keys are still valid.",
    run=renew,
)
