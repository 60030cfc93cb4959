"""The fetcher of an issuer's JSON documents: https, checked addresses, no redirects, no proxies, bounded time and size.

With the standard library's HTTP client: a richer one's features (redirects, proxies of the environment, retries,
decompression) would all have to be switched off here.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from omni_gateway import __version__, strict_json
from omni_gateway.auth.oidc import addresses

LARGEST = 512 * 1024
"""Bytes of a document; the largest key sets of public providers have about 20 KiB."""
DEEPEST = 16
LONGEST_URL = 2000
SECONDS = 5.0
"""For the name's resolution, and again for connection, TLS and response together."""
MOST_ADDRESSES = 4

_URL = re.compile(r"[\x21-\x7e]+")
_HEADERS = {"Accept": "application/json", "Connection": "close", "User-Agent": f"omni-gateway/{__version__}"}


class FetchError(Exception):
    """A document cannot be fetched; the text gives the reason, and contains nothing of the response."""


@dataclass(frozen=True, slots=True)
class Place:
    """A document's URL, with the checked addresses of its host."""

    host: str
    port: int
    path: str
    tls: bool
    addresses: Sequence[addresses.Address]


class Fetcher:
    """Fetches issuers' documents.

    :param private_addresses: whether issuers may be at private and loopback addresses.
    :param ca_file: PEM file of certificate authorities to trust besides the system's.
    :param seconds: time limit of the name's resolution, and again of the document.
    """

    def __init__(self, *, private_addresses: bool = False, ca_file: str = "", seconds: float = SECONDS) -> None:
        self._private = private_addresses
        self._ca_file = ca_file
        self.seconds = seconds

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(cafile=self._ca_file)
        return context

    def locate(self, url: str, *, plain: bool) -> Place:
        """Resolve a URL's host; raise :class:`FetchError` if the URL or one of its addresses is not allowed.

        ``plain``: http is allowed too, to loopback addresses.
        """
        scheme, host, port, path = _split(url)
        if scheme != "https" and not (plain and scheme == "http"):
            raise FetchError("The URL is not an https URL.")
        try:
            found = addresses.look_up(host, port, self.seconds)
        except OSError as error:
            raise FetchError(f"The host {host} has no address: {_reason(error)}.") from error
        for _, where in found:
            fault = addresses.fault(where, private=self._private, loopback_only=scheme == "http")
            if fault:
                raise FetchError(f"The host {host} may not be connected to: {fault}.")
        return Place(host, port, path, scheme == "https", found[:MOST_ADDRESSES])

    def read(self, place: Place) -> Any:
        """Return the JSON value at a place; raise :class:`FetchError` if it cannot be fetched or parsed in time."""
        deadline = time.monotonic() + self.seconds
        try:
            with self._connection(place, deadline) as connection:
                connection.request("GET", place.path, headers=_HEADERS)
                response = connection.getresponse()
                body = response.read(LARGEST + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= deadline:
                raise FetchError(f"{place.host} took longer than {self.seconds:g} s.") from error
            raise FetchError(f"{place.host} gave no answer: {_reason(error)}.") from error
        if 300 <= response.status < 400:
            raise FetchError(f"{place.host} answered with a redirect ({response.status}), which is not followed.")
        if response.status != 200:
            raise FetchError(f"{place.host} answered {response.status}.")
        if len(body) > LARGEST:
            raise FetchError(f"{place.host} sent more than {LARGEST} bytes.")
        if time.monotonic() >= deadline:
            raise FetchError(f"{place.host} took longer than {self.seconds:g} s.")
        try:
            return strict_json.parse(body, max_depth=DEEPEST)
        except strict_json.BadJson as error:
            raise FetchError(f"{place.host} sent invalid or ambiguous JSON.") from error

    @contextmanager
    def _connection(self, place: Place, deadline: float) -> Iterator[http.client.HTTPConnection]:
        """Connect to the first address that accepts; a timer shuts the socket down at the deadline."""
        plain = _connect(place.addresses, deadline)
        sock: socket.socket = plain
        timer = Timer(max(deadline - time.monotonic(), 0), lambda: _cut(sock))
        timer.daemon = True
        try:
            if place.tls:
                sock = self._tls.wrap_socket(plain, server_hostname=place.host, do_handshake_on_connect=False)
            timer.start()
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()  # checks the certificate's name against the host's, not the address
            kind = http.client.HTTPSConnection if place.tls else http.client.HTTPConnection
            connection = kind(place.host, place.port)
            connection.sock = sock
            connection.auto_open = 0  # it must not reconnect by itself, to an address that was not checked
            yield connection
        finally:
            timer.cancel()
            sock.close()


def _split(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path with query; raise :class:`FetchError` if the URL is invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError as error:
        raise FetchError("The URL is invalid.") from error
    if not _URL.fullmatch(url) or len(url) > LONGEST_URL or not parts.hostname:
        raise FetchError("The URL is invalid, or longer than 2000 characters.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise FetchError("The URL has a user name, a password or a fragment.")
    return parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _connect(places: Sequence[addresses.Address], deadline: float) -> socket.socket:
    last: OSError = TimeoutError("timed out")
    for family, where in places:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(remaining)
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


def _cut(sock: socket.socket) -> None:
    """Shut a socket down, which ends a blocked read: a socket's timeout does not bound a response sent byte by byte."""
    try:
        # Not SSLSocket's own method, which would remove the TLS state while another thread reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


def _reason(error: Exception) -> str:
    """Return the text of an error, without anything that the peer sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or 'cut off'})"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or "cut off").lower()
    return "its response is not valid HTTP"
