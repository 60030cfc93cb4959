"""``/livez``, ``/readyz`` and ``/health``: is the process there, can it serve, and how is what it stands on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

import omni_gateway
from omni_gateway.discovery import Found
from omni_gateway.embedded import limits
from omni_gateway.http.guard import public
from omni_gateway.omni import OmniError, errors
from omni_gateway.sdk.context import Gateway, current_gateway
from omni_gateway.sdk.views.answering import json_response

PING_SECONDS = 2.0

_WORDS = {
    errors.CredentialRefused: "Omni refuses the gateway's key: it is unknown to Omni, expired or revoked",
    errors.Unavailable: "Omni cannot be reached",
    errors.DeadlineExceeded: "Omni does not answer in time",
    errors.PermissionDenied: "Omni grants the gateway's key no role that may read",
}


def explain(error: OmniError) -> str:
    """Say in words what is wrong between the gateway and Omni."""
    fallback = f"Omni answers {error.code.name}: {error.detail}"
    return next((words for kind, words in _WORDS.items() if isinstance(error, kind)), fallback)


def blueprint(found: Sequence[Found], *, embedded: bool) -> Blueprint:
    """Return the health routes; they are open on purpose and name no secret, no address and no object."""
    routes = Blueprint("health", __name__)
    broken = [item for item in found if item.state == "broken"]

    def livez() -> Response:
        return json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})

    def readyz() -> Response:
        checks = {"omni": _check_omni(current_gateway()), "plugins": _check_plugins(broken)}
        ready = checks["omni"]["status"] == "ok"
        status = "ok" if ready else "unavailable"
        return json_response({"status": status, "checks": checks}, 200 if ready else 503, {"Cache-Control": "no-store"})

    def health() -> Response:
        omni = _check_omni(current_gateway())
        document: dict[str, Any] = {
            "status": omni["status"],
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "version": omni_gateway.__version__,
            "omni": {**omni, "simulator": embedded},
            "plugins": [{"name": item.entry_point, "version": item.version, "state": item.state} for item in found],
            "_links": {"self": "/health", "live": "/livez", "ready": "/readyz", "metrics": "/metrics"},
        }
        if embedded:
            document["simulator"] = {"documentation": "docs/simulator.md", "limits": list(limits())}
        return json_response(document, headers={"Cache-Control": "no-store"})

    for name, view in (("livez", livez), ("readyz", readyz), ("health", health)):
        _add(routes, name, view)
    return routes


def _add(routes: Blueprint, name: str, view: Callable[[], Response]) -> None:
    routes.add_url_rule(f"/{name}", endpoint=name, view_func=public(view))


def _check_omni(gateway: Gateway) -> dict[str, Any]:
    start = time.monotonic()
    try:
        gateway.own_omni.ping(timeout=PING_SECONDS)
    except errors.CredentialRefused as error:
        if gateway.own_omni.identity.fingerprint:
            return {"status": "unavailable", "reason": explain(error)}
        # The gateway has no key, for its callers bring theirs: Omni answers, and that is all there is to know.
    except OmniError as error:
        return {"status": "unavailable", "reason": explain(error)}
    return {"status": "ok", "latency_ms": round((time.monotonic() - start) * 1000, 1)}


def _check_plugins(broken: Sequence[Found]) -> dict[str, Any]:
    """Tell of plugins that were left out; the operator chose to go on without them, so the gateway is ready."""
    if not broken:
        return {"status": "ok"}
    return {"status": "degraded", "broken": [{"plugin": str(item), "reason": item.problem} for item in broken]}
