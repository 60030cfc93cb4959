"""A proxy on loopback that passes HTTP/1.1 and refuses HTTP/2, as some in front of an Omni do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HTTP2 = b"PRI * HTTP/2.0"
_REFUSED = b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Http1Proxy:
    """The proxy's address, and how many connections it has refused, and has open."""

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passed: list[socket.socket] = []
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self.refused = 0
        self.open = 0

    def cut(self) -> None:
        """Break all connections that are open."""
        for connection in self._passed:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Accept connections until closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connection, args=(near,), daemon=True).start()

    def close(self) -> None:
        """Break all connections and give the port back."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _connection(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            first = near.recv(65536)
            if first.startswith(_HTTP2[: len(first)]):
                self.refused += 1
                near.sendall(_REFUSED)
                return
            with socket.create_connection(self._upstream) as far:
                with self._lock:
                    self.open += 1
                self._passed += [near, far]
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                far.sendall(first)
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                with self._lock:
                    self.open -= 1
                back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side may leave first
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def http1_proxy(upstream: str) -> Iterator[Http1Proxy]:
    """Run a proxy in front of ``host:port``."""
    proxy = Http1Proxy(upstream)
    threading.Thread(target=proxy.serve, name="http1-proxy", daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
