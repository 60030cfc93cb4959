"""A socket that a service manager has opened and passed to this process: systemd's socket activation.

The protocol is that of ``sd_listen_fds(3)``. gunicorn takes the socket over; here its address is read, for the checks
of a start and for what it prints.
"""

from __future__ import annotations

import os
import socket

from omni_gateway.settings import SettingsError

_DESCRIPTOR = 3


def address() -> str | None:
    """Return the address of the passed socket, ``HOST:PORT`` or ``unix:PATH``; None if there is none.

    gunicorn removes the variables when it takes the socket, so this is to be called before.
    Raises :class:`SettingsError` if there are several: each would have to be checked and shown.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    count = int(os.environ.get("LISTEN_FDS", "0"))
    if count > 1:
        raise SettingsError(
            f"the service manager has passed {count} sockets: the socket unit must have one ListenStream="
        )
    return _address(_DESCRIPTOR) if count else None


def _address(descriptor: int) -> str:
    with socket.socket(fileno=os.dup(descriptor)) as passed:
        name = passed.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{os.fsdecode(name)}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
