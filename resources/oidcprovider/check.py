"""The action test: find out why a provider's tokens are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import Action, check_issuer, takes_jwts
from resources.oidcprovider.schemas import ProviderTestSchema


def test_provider(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the steps to the provider's keys with their results, and whether its tokens are accepted at all."""
    spec = adapter.get(id).spec
    report = check_issuer(spec["issuer_url"])
    return {
        "ok": report.ok,
        "counts": bool(takes_jwts() and spec["enabled"] and spec["source"] == "gateway"),
        "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in report.steps],
    }


TEST = Action(
    "test",
    role=Role.ADMIN,
    summary="Test a provider: discovery, key set, keys",
    answers=ProviderTestSchema,
    description="Fetches the provider's documents without caches, by the same rules as for its tokens, and"
    " answers 200 whether they are valid or not. Nothing is written, so `dry_run` changes nothing.",
    run=test_provider,
)
