"""The port of the gRPC server: served, or on demand refusing connections, or leaving them unanswered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import grpc

_PORT_SECONDS = 5.0
"""How long the kernel may take to give a port back after its server has stopped."""


class GrpcPort:
    """A port of a gRPC server that can be shut and opened again.

    gRPC cannot pause a server, so shutting ends it, and opening makes another one. Meanwhile a plain socket holds the
    port: bound only, the kernel refuses connections; listening, it takes them and never answers.
    """

    def __init__(self, build: Callable[[], grpc.Server]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._server: grpc.Server | None = None
        self._placeholder: socket.socket | None = None
        self._host, self._port = "", 0

    def open(self, listen: str) -> str:
        """Take the address, not serving yet, and return host and port; OSError when it cannot be had."""
        self._host = listen.rpartition(":")[0]
        server = self._build()
        self._port = _bind(server, listen)
        self._server = server
        return f"{self._host}:{self._port}"

    def serve(self) -> None:
        """Begin to answer."""
        assert self._server is not None, "open comes first"
        self._server.start()

    def shut(self, *, unanswered: bool) -> None:
        """Cut every connection; refuse new ones, or take them and leave them unanswered."""
        with self._lock:
            if self._server is not None:
                self._server.stop(0).wait()
                self._server = None
            self._drop_placeholder()
            self._placeholder = self._take_port()
            if unanswered:
                self._placeholder.listen()

    def reopen(self) -> None:
        """Serve again on the same port; nothing happens when it is served."""
        with self._lock:
            if self._server is not None or self._placeholder is None:
                return
            self._drop_placeholder()
            server = self._build()
            _bind(server, f"{self._host}:{self._port}")
            server.start()
            self._server = server

    def close(self, seconds: float) -> threading.Event:
        """Close the port for good; calls under way have so many seconds, then the returned event is set."""
        with self._lock:
            self._drop_placeholder()
            if self._server is not None:
                return self._server.stop(seconds)
        done = threading.Event()
        done.set()
        return done

    def _drop_placeholder(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None

    def _take_port(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self._host.strip("[]"), self._port, type=socket.SOCK_STREAM
        )[0]
        deadline = time.monotonic() + _PORT_SECONDS
        while True:
            holder = socket.socket(family, kind, protocol)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                holder.bind(address)
            except OSError:
                holder.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return holder


def _bind(server: grpc.Server, listen: str) -> int:
    try:
        return server.add_insecure_port(listen)
    except RuntimeError:
        raise OSError(f"cannot listen on {listen}") from None
