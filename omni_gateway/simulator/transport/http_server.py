"""An HTTP server with a thread of its own: what the simulator serves beside gRPC."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: How long an end may take.
_POLL_SECONDS = 0.1


class HttpServer:
    """Serves a port from :meth:`start` to :meth:`stop`; each request has a thread.

    :param name: the name of the server's thread.
    :param handler: the class whose instances answer the requests.
    :param members: attributes that the instances share.
    """

    def __init__(
        self,
        name: str,
        handler: type[BaseHTTPRequestHandler],
        members: Mapping[str, Any],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Take the address; OSError when it cannot be had. By default it is a free port of the loopback."""
        self._name = name
        self._server = ThreadingHTTPServer((host, port), type("Handler", (handler,), dict(members)))
        self._server.daemon_threads = True
        self._thread: threading.Thread | None = None
        self.port = self._server.server_port

    def start(self) -> None:
        """Begin to answer."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name=self._name, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        if self._thread is not None:  # a server that never started cannot be stopped
            self._server.shutdown()
        self._server.server_close()
