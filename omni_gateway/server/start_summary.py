"""The lines that ``serve`` prints once it listens: where it is, how to get in, how to change the port, which Omni."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from omni_gateway.host_names import DEFAULT_BIND
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.server.start_checks import BIND
from omni_gateway.settings import OFF, Settings

_ANY_HOST = {None: "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104

#: Which one ``auto`` has found is logged by the first worker.
_OVER = {"auto": "", "grpc": "  (over gRPC)", "http": "  (over its HTTP gateway)"}


def summary(bind: str, settings: Settings, token: str | None, *, passed: bool = False) -> str:
    """Return the five lines.

    :param token: the token that this start has created, if it has.
    :param passed: whether a service manager has opened the socket.
    """
    url = base_url(bind, settings)
    lines = {
        "API": f"{url}{API_PREFIX}" + (f"  (at {bind})" if _without_port(bind) else ""),
        "Document": f"{url}/  (for programs: /openapi.json)",
        "Token": _token(settings, token),
        "Port": _port(bind, passed),
        "Omni": _omni(settings),
    }
    return "\n" + "".join(f"  {name:<10}{text}\n" for name, text in lines.items())


def base_url(bind: str, settings: Settings) -> str:
    """Return the URL at which a caller on this machine reaches the gateway."""
    scheme = "https" if settings.tls_cert_file else "http"
    if _without_port(bind):
        return f"{scheme}://localhost"
    parts = urlsplit(f"//{bind.removeprefix('tcp://')}")
    host = _ANY_HOST.get(parts.hostname) or (f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname)
    return f"{scheme}://{host}:{parts.port}"


def _without_port(bind: str) -> bool:
    return bind.startswith(("unix:", "fd://"))


def _port(bind: str, passed: bool) -> str:
    return "that of the service manager's socket" if passed else f"for another one, start with {BIND}={_other(bind)}"


def _other(bind: str) -> str:
    if _without_port(bind):
        return DEFAULT_BIND
    host, _, port = bind.rpartition(":")
    return f"{host}:{int(port) + 1 if int(port) < 65535 else 8080}"


def _token(settings: Settings, created: str | None) -> str:
    if created:
        return f"export TOKEN={created}  (an admin's; it is not shown again)"
    if OFF in settings.auth:
        return "none is needed: authentication is off, every caller is an admin"
    if not settings.takes_tokens:
        return f"the gateway's own are not accepted (OMNI_GATEWAY_AUTH={','.join(settings.auth)})"
    if settings.bootstrap_token:
        return "the one of OMNI_GATEWAY_BOOTSTRAP_TOKEN"
    return f"yours of an earlier start; for a new one, in this folder: {_command()} token create NAME --role admin"


def _command() -> str:
    """Return how this command line was called; ``make run`` calls it by its path in the virtual environment."""
    called = Path(sys.argv[0])
    if called.name != "omni-gateway" or shutil.which("omni-gateway") == str(called):
        return "omni-gateway"
    return str(called)


def _omni(settings: Settings) -> str:
    if settings.omni is not None and not settings.embedded:
        return settings.omni.endpoint + _OVER[settings.omni.transport]
    return f"a simulator, {settings.fleet} machines: no real Omni. Set OMNI_ENDPOINT for yours"
