"""Exit with 0 if the gateway of this container is alive: ``python -m omni_gateway.health_check``.

It asks ``/livez`` where the variables say that ``serve`` listens. It imports little: it is started every few seconds.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from omni_gateway.environment.variables import PREFIX, in_file
from omni_gateway.host_names import DEFAULT_BIND

SECONDS = 4.0
#: Addresses that stand for all of this machine's, and one of these.
_ANY_HOST = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def status(environ: Mapping[str, str]) -> int:
    """Return the status of ``/livez``; raise OSError or HTTPException if there is no answer."""
    variables = {**in_file(environ), **environ}
    with _connect(variables) as connected:
        connection = HTTPConnection("localhost", timeout=SECONDS)
        connection.sock = connected
        connection.request("GET", "/livez", headers={"Host": _host(variables)})
        return connection.getresponse().status


def _connect(variables: Mapping[str, str]) -> socket.socket:
    bind = variables.get(f"{PREFIX}BIND") or DEFAULT_BIND
    if bind.startswith("unix:"):
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(SECONDS)
        connected.connect(bind.removeprefix("unix:"))
    else:
        address = urlsplit(f"//{bind.removeprefix('tcp://')}")
        host = address.hostname or ""
        connected = socket.create_connection((_ANY_HOST.get(host, host), address.port or 80), SECONDS)
    if variables.get(f"{PREFIX}TLS_CERT_FILE"):
        context = ssl._create_unverified_context()  # noqa: S323 - it is this container's own, under another name
        connected = context.wrap_socket(connected)
    return connected


def _host(variables: Mapping[str, str]) -> str:
    """Return a host that the gateway answers to."""
    allowed = variables.get(f"{PREFIX}ALLOWED_HOSTS", "").split(",")[0].strip()
    return allowed.removeprefix(".") or "localhost"


def main() -> int:
    """Return the exit status: 0 if ``/livez`` is 200."""
    try:
        return 0 if status(os.environ) == 200 else 1
    except (OSError, HTTPException) as error:
        print(f"/livez: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
