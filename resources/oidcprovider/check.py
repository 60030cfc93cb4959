"""Trying a provider for an admin who wonders why its tokens are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, check_issuer, takes_jwts


def test_provider(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return how far the way to the provider's keys leads, and whether its tokens count here at all."""
    spec = adapter.get(id).spec
    report = check_issuer(spec["issuer_url"])
    return {
        "ok": report.ok,
        "counts": bool(takes_jwts() and spec["enabled"] and spec["source"] == "gateway"),
        "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in report.steps],
    }
