"""Check of the bind address when there is no authentication."""

from __future__ import annotations

import ipaddress
import logging
from urllib.parse import urlsplit

from omni_gateway.settings import OFF, PREFIX, Settings, SettingsError

log = logging.getLogger(__name__)

OVERRIDE = f"{PREFIX}UNSAFE_NO_AUTH_BEYOND_LOOPBACK"


def check_exposure(bind: str | None, settings: Settings) -> None:
    """Check a bind address (``HOST:PORT`` or ``unix:PATH``; None: not known) if authentication is off.

    Logs a warning at each start without authentication. Beyond loopback, the setting ``OVERRIDE`` is required as well.
    An unknown address, as in ``wsgi.py``, is treated as beyond loopback.

    :raises SettingsError: authentication is off, others can reach the gateway, and ``OVERRIDE`` is not set.
    """
    if OFF not in settings.auth:
        return
    if _on_loopback(bind):
        log.warning("%sAUTH=off: whoever can reach %s on this machine is an admin", PREFIX, bind)
        return
    where = f"{bind} is not on loopback" if bind else "where this server listens is not known"
    if not settings.unsafe_no_auth_beyond_loopback:
        raise SettingsError(
            f"{PREFIX}AUTH=off makes everybody an admin, and {where}."
            f" Switch authentication on, serve on 127.0.0.1, or set {OVERRIDE}=true if that is what you want."
        )
    log.warning("%sAUTH=off and %s=true: EVERYBODY who reaches this gateway is an admin (%s)", PREFIX, OVERRIDE, where)


def _on_loopback(bind: str | None) -> bool:
    if bind is None:
        return False
    if bind.startswith("unix:"):
        return True
    host = urlsplit(f"//{bind.removeprefix('tcp://')}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
