"""The end of listening, without a connection that was accepted by the kernel and is then reset.

When the last process closes a listening socket, the kernel resets the connections in its queue. Their clients may have
sent a request, which a proxy does not send a second time if it is a write.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

#: For how long it is tried to have the queue alone: an attempt fails where a client's connection was first.
_SECONDS = 2.0
_CONNECTED_MILLISECONDS = 10


def accept_all(listener: Any, accept: Callable[[Any], None]) -> None:
    """Accept every connection of a listener that will be closed, and leave its queue so that no other one gets in.

    The queue is shortened to one place, which a connection of our own takes: a client that comes then gets no answer to
    its SYN until the socket is closed, and is refused, so it has sent nothing.
    """
    until = time.monotonic() + _SECONDS
    with suppress(OSError):
        listener.listen(0)
        while time.monotonic() < until:
            if _ready(listener, select.POLLIN, 0):
                accept(listener)
                continue
            with socket.socket(listener.sock.family, socket.SOCK_STREAM) as own:
                own.setblocking(False)
                own.connect_ex(listener.getsockname())
                connected = _ready(own, select.POLLOUT, _CONNECTED_MILLISECONDS)
                if connected and own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    listener.close()
                    return


def _ready(connection: Any, event: int, milliseconds: int) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), event)
    return bool(poll.poll(milliseconds))
