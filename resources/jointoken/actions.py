"""The actions of a join token: make-default, revoke, unrevoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.adapters import update
from resources.jointoken.adapter import DefaultJoinTokenAdapter, JoinTokenAdapter


def make_default(
    adapter: JoinTokenAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Resource | DryRunResult:
    """Make a token the default."""
    before = adapter.get(id)
    secret = adapter.secret(id).id

    def mutate(existing: Resource) -> Resource:
        if existing.spec.get("token_id") == secret:
            return existing
        return replace(existing, spec={**existing.spec, "token_id": secret})

    defaults = DefaultJoinTokenAdapter().bind(adapter.omni)
    update(defaults, defaults.ID, mutate, dry_run=dry_run)
    shown = replace(before, spec={**before.spec, "is_default": True})  # Omni updates the status a moment later
    return DryRunResult(before, shown) if dry_run else shown


def revoke(adapter: JoinTokenAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Revoke a token."""
    return _set_revoked(adapter, id, True, dry_run)


def unrevoke(adapter: JoinTokenAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Undo a revocation."""
    return _set_revoked(adapter, id, False, dry_run)


def _set_revoked(adapter: JoinTokenAdapter, id: str, revoked: bool, dry_run: bool) -> Resource | DryRunResult:
    def mutate(existing: Resource) -> Resource:
        if bool(existing.spec.get("revoked")) == revoked:
            return existing
        return replace(existing, spec={**existing.spec, "revoked": revoked})

    return update(adapter, id, mutate, dry_run=dry_run)


MAKE_DEFAULT = Action(
    "make-default",
    role=Role.ADMIN,
    summary="Make the token the default of new installation media",
    description="Images that were made before keep their token.",
    run=make_default,
)
REVOKE = Action(
    "revoke",
    role=Role.ADMIN,
    summary="Revoke the token: no machine can join with it any more",
    description="Machines that have joined stay, except those that `warnings` names: they need it when they connect"
    " again.",
    run=revoke,
)
UNREVOKE = Action(
    "unrevoke",
    role=Role.ADMIN,
    summary="Undo the revocation: machines can join with it again",
    description="A token that has expired stays expired: set another `expiration_time`.",
    run=unrevoke,
)
