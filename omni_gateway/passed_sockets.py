"""Sockets that a service manager has opened and passed to this process: systemd's socket activation.

The protocol is that of ``sd_listen_fds(3)``. gunicorn takes the sockets over; here their addresses are read, for the
checks of a start and for what it prints.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

FIRST_DESCRIPTOR = 3


def addresses() -> Sequence[str]:
    """Return the addresses of the passed sockets, ``HOST:PORT`` or ``unix:PATH``; none if there are no such sockets.

    gunicorn removes the variables when it takes the sockets, so this is to be called before.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return ()
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [_address(descriptor) for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count)]


def _address(descriptor: int) -> str:
    with socket.socket(fileno=os.dup(descriptor)) as passed:
        name = passed.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{os.fsdecode(name)}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
