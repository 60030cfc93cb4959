"""``/livez``, ``/readyz`` and ``/health``: liveness, readiness, and a report of dependencies.

None of them makes a call while it is served: :mod:`omni_gateway.http.readiness` runs the checks in advance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

import omni_gateway
from omni_gateway.discovery import Found
from omni_gateway.embedded import limits
from omni_gateway.http.drain import DRAIN
from omni_gateway.http.guard import public
from omni_gateway.http.readiness import Check, CheckFailed
from omni_gateway.omni import OmniClient, OmniError, errors
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.views.responses import json_response

PING_SECONDS = 2.0

_TEXTS = {
    errors.CredentialRefused: "Omni refuses the gateway's key: it is unknown to Omni, expired or revoked",
    errors.Unavailable: "Omni cannot be reached",
    errors.DeadlineExceeded: "Omni does not answer in time",
    errors.PermissionDenied: "Omni grants the gateway's key no role that may read",
}


def explain(error: OmniError) -> str:
    """Return a text for the operator about an error between the gateway and Omni."""
    fallback = f"Omni answers {error.code.name}: {error.detail}"
    return next((text for kind, text in _TEXTS.items() if isinstance(error, kind)), fallback)


def blueprint(found: Sequence[Found], *, embedded: bool) -> Blueprint:
    """Return the health routes; they need no credential and contain no secret, no address and no object."""
    routes = Blueprint("health", __name__)
    broken = [item for item in found if item.state == "broken"]

    def livez() -> Response:
        return json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})

    def readyz() -> Response:
        report = current_gateway().readiness.report()
        checks = {**report.checks, "plugins": _check_plugins(broken)}
        status, failed = report.status, report.failed
        if DRAIN.begun:
            status, failed = "unavailable", [*failed, "drain"]
            checks["drain"] = {"status": "unavailable", "reason": "The gateway is about to stop"}
        document = {"status": status, "failed": failed, "checks": checks}
        return json_response(document, 503 if status == "unavailable" else 200, {"Cache-Control": "no-store"})

    def health() -> Response:
        report = current_gateway().readiness.report()
        document: dict[str, Any] = {
            "status": "unavailable" if report.failed else "ok",
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "version": omni_gateway.__version__,
            "omni": {**report.checks["omni"], "simulator": embedded},
            "checks": report.checks,
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


def omni_check(omni: OmniClient) -> Check:
    """Return the readiness check of Omni: whether it accepts the gateway's key, within :data:`PING_SECONDS`.

    The check raises :class:`CheckFailed` with a text for the operator, and adds the transport that is in use.
    """

    def check() -> Mapping[str, Any]:
        try:
            omni.ping(timeout=PING_SECONDS)
        except errors.CredentialRefused as error:
            # Without a key of the gateway's own (callers use theirs), any response shows that Omni is reachable.
            if omni.identity.fingerprint:
                raise CheckFailed(explain(error)) from None
        except OmniError as error:
            raise CheckFailed(explain(error)) from None
        return {"transport": omni.transport}

    return check


def _check_plugins(broken: Sequence[Found]) -> dict[str, Any]:
    """Return the check of plugins. Broken ones do not make the gateway unready: the settings said to skip them."""
    if not broken:
        return {"status": "ok"}
    return {"status": "degraded", "broken": [{"plugin": str(item), "reason": item.problem} for item in broken]}
