"""HTTP/1.1 connections to Omni that any thread may end, with the same TLS trust and proxies as the gRPC channel."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import threading
import time
import urllib.request
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import unquote, urlsplit

from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.endpoint import Endpoint
from omni_gateway.omni.tls import Trust, trust_on_sight

#: How long a connection may take to be made for a call without a deadline.
CONNECT_SECONDS = 10.0
#: Servers and proxies close idle connections, nginx after 75 s. A write that meets such an end has no known outcome.
IDLE_SECONDS = 20.0
#: What a connection that fails raises.
BROKEN = (OSError, HTTPException, EOFError, zlib.error)
_MOST_IDLE = 16
_PIECE = 1 << 20
#: As for the gRPC channel: a peer that is gone is noticed after two minutes.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3))


class Connection:
    """One connection. It carries one request at a time; ``abort`` may be called from any thread."""

    def __init__(self, http: HTTPConnection) -> None:
        self._http = http
        http.connect()
        # http.client forgets the socket once it reads an answer that ends with the connection.
        self._sock: socket.socket = http.sock
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            self._sock.setsockopt(socket.IPPROTO_TCP, option, value)
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Return whether a further request may be sent: it is young, and the server has not closed it."""
        if time.monotonic() - self.idle_since > IDLE_SECONDS:
            return False
        readable = select.poll()
        readable.register(self._sock, select.POLLIN)
        return not readable.poll(0)

    def wait_until(self, ends: float | None) -> None:
        """Bound each wait from here on by a moment (monotonic; None: no bound); raises TimeoutError when it is past."""
        seconds = None if ends is None else ends - time.monotonic()
        if seconds is not None and seconds <= 0:
            raise TimeoutError
        self._sock.settimeout(seconds)

    def send(self, path: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a POST; a header may come more than once. Raises OSError."""
        self._http.putrequest("POST", path, skip_accept_encoding=True)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self._http.putheader(name, value)
        self._http.endheaders(body)

    def response(self) -> HTTPResponse:
        """Wait for the head of the answer; raises OSError or ``http.client.HTTPException``."""
        return self._http.getresponse()

    def pieces(self, response: HTTPResponse, ends: float | None) -> Iterator[bytes]:
        """Yield the answer's body as it comes, until ``ends``; raises one of :data:`BROKEN` if it is cut off."""
        self.wait_until(ends)
        while piece := response.read1(_PIECE):
            yield piece
            self.wait_until(ends)
        if response.length:
            raise EOFError("the answer was cut off")
        response.close()  # http.client takes no further request before; read1 does not do it at the end of every body

    def abort(self) -> None:
        """End it; a thread that reads it is woken."""
        with suppress(OSError):  # it has ended already
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; for the thread that uses it."""
        self._http.close()
        self._sock.close()


class Connections:
    """The connections to one Omni; thread-safe. Nothing is opened before the first request."""

    def __init__(self, config: OmniConfig, roots: bytes | None) -> None:
        """Raises ``Unavailable`` if ``insecure`` is set and there is no TLS."""
        self._endpoint = config.address
        self._tls = _tls(config, roots) if self._endpoint.tls else None
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        # Weak: the connection of a stream that is dropped without an end goes with it.
        self._busy: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.closed = threading.Event()

    def take(self, seconds: float | None) -> Connection:
        """Return a connection, opened within ``seconds`` if none is idle. Raises OSError."""
        while connection := self._take_idle():
            if connection.usable:
                return connection
            self.drop(connection)
        bound = CONNECT_SECONDS if seconds is None else seconds
        if bound <= 0:
            raise TimeoutError
        connection = Connection(self.open_http(bound))
        with self._lock:
            self._busy.add(connection)
        if self.closed.is_set():
            self.drop(connection)
            raise ConnectionAbortedError
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer was read whole for the next request."""
        connection.idle_since = time.monotonic()
        with self._lock:
            if len(self._idle) < _MOST_IDLE and not self.closed.is_set():
                self._busy.discard(connection)
                self._idle.append(connection)
                return
        self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection."""
        with self._lock:
            self._busy.discard(connection)
        connection.close()

    def close(self) -> None:
        """End all connections; the requests in progress fail."""
        self.closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.abort()

    def _take_idle(self) -> Connection | None:
        with self._lock:
            if not self._idle:
                return None
            connection = self._idle.pop()
            self._busy.add(connection)
            return connection

    def open_http(self, seconds: float) -> HTTPConnection:
        """Return an HTTP connection that is opened, within ``seconds``, when it is first used."""
        endpoint = self._endpoint
        proxy = None if endpoint.loopback else _proxy(endpoint)
        host, port = (endpoint.host, endpoint.port) if proxy is None else proxy[:2]
        if self._tls is None:
            http = HTTPConnection(host, port, timeout=seconds)
        else:
            http = HTTPSConnection(host, port, timeout=seconds, context=self._tls)
        if proxy is not None:
            http.set_tunnel(endpoint.host, endpoint.port, proxy[2])
        return http


def _tls(config: OmniConfig, roots: bytes | None) -> ssl.SSLContext:
    trust = trust_on_sight(config.address) if config.insecure else Trust(roots)
    context = ssl.create_default_context(cadata=trust.roots.decode("ascii") if trust.roots else None)
    context.set_alpn_protocols(["http/1.1"])
    if config.insecure:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = trust.expected_name is None
    return context


def _proxy(endpoint: Endpoint) -> tuple[str, int, dict[str, str]] | None:
    """Return host, port and headers of the proxy that the environment names; None: there is none for this host."""
    proxies = urllib.request.getproxies()
    url = proxies.get("https" if endpoint.tls else "http", "")
    if not url or urllib.request.proxy_bypass(endpoint.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode('ascii')}"
    return parts.hostname or "", parts.port or 80, headers
