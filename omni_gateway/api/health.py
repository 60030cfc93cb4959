"""``/livez``, ``/readyz`` and ``/health``: liveness, readiness, and a report of dependencies.

None of them makes a call while it is served: :mod:`omni_gateway.http.readiness` runs the checks in advance.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any

from flask import Blueprint, Response

import omni_gateway
from omni_gateway.embedded import limits
from omni_gateway.http.drain import DRAIN
from omni_gateway.http.guard import public
from omni_gateway.http.readiness import Check, CheckFailed
from omni_gateway.omni import OmniClient, OmniError, errors
from omni_gateway.omni.clock import REFUSED_SECONDS, OmniClock
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.views.responses import json_response

PING_SECONDS = 2.0
#: Between two looks at Omni's clock; while Omni refuses the gateway's key; and the difference that is logged.
MEASURED_SECONDS = 300.0
MEASURED_AT_REFUSAL_SECONDS = 10.0
WARNED_SECONDS = 30

log = logging.getLogger(__name__)

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


def omni_check(omni: OmniClient, now: Callable[[], float] = time.time) -> Check:
    """Return the readiness check of Omni: whether it accepts the gateway's key, within :data:`PING_SECONDS`.

    The check raises :class:`CheckFailed` with a text for the operator, and adds the transport that is in use and, where
    that is known, the difference of the clocks.
    """

    clock = _ClockCheck(OmniClock(omni.config, now))

    def check() -> Mapping[str, Any]:
        try:
            omni.ping(timeout=PING_SECONDS)
        except errors.CredentialRefused as error:
            # Without a key of the gateway's own (callers use theirs), any response shows that Omni is reachable.
            if omni.identity.fingerprint:
                raise CheckFailed(clock.why_refused() or explain(error)) from None
        except OmniError as error:
            raise CheckFailed(explain(error)) from None
        skew = clock.skew(MEASURED_SECONDS)
        return {"transport": omni.transport} | ({} if skew is None else {"clock_skew_seconds": skew})

    return check


class _ClockCheck:
    """The difference of this machine's clock from Omni's; logged when it becomes large."""

    def __init__(self, clock: OmniClock) -> None:
        self._clock = clock
        self._skew: int | None = None
        self._measured = -inf

    def skew(self, seconds: float) -> int | None:
        """Return the difference as it was at most ``seconds`` ago."""
        if time.monotonic() - self._measured >= seconds:
            before, self._skew = self._skew, self._clock.skew()
            self._measured = time.monotonic()
            if _large(self._skew) and not _large(before):
                log.warning("%s; beyond %d s Omni refuses every call", _ahead(self._skew), REFUSED_SECONDS)
        return self._skew

    def why_refused(self) -> str:
        """Return the difference as the reason why Omni refuses a key; empty if it is none."""
        skew = self.skew(MEASURED_AT_REFUSAL_SECONDS)
        if skew is None or abs(skew) < REFUSED_SECONDS - 1:
            return ""
        return f"Omni refuses what the gateway signs: {_ahead(skew)}, and {REFUSED_SECONDS} s are allowed"


def _large(skew: int | None) -> bool:
    return skew is not None and abs(skew) >= WARNED_SECONDS


def _ahead(skew: int | None) -> str:
    return f"this machine's clock is {abs(skew or 0)} s {'ahead of' if (skew or 0) > 0 else 'behind'} Omni's"


def _check_plugins(broken: Sequence[Found]) -> dict[str, Any]:
    """Return the check of plugins. Broken ones do not make the gateway unready: the settings said to skip them."""
    if not broken:
        return {"status": "ok"}
    return {"status": "degraded", "broken": [{"plugin": str(item), "reason": item.problem} for item in broken]}
