"""Downloads of images from the image factory, whole or in parts, in bounded memory.

With the standard library's HTTP client: no proxies of the environment, no decompression, and credentials that stay with
the host that they are for. Certificate authorities are those of the system (``SSL_CERT_FILE`` names others).
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from omni_gateway import __version__
from omni_gateway.omni.management.images import BootAsset

__all__ = ["DESCRIBING", "AssetPart", "AssetUnavailable", "BootAsset", "open_asset"]

CONNECT_SECONDS = 10.0
#: For each wait for bytes: the factory builds an image when it is asked for it first, before it sends anything.
READ_SECONDS = 300.0
CHUNK_BYTES = 16 * 1024
MOST_REDIRECTS = 5
#: Headers of a response that describe the image or the part of it.
DESCRIBING = ("Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_REDIRECTS = (301, 302, 303, 307, 308)
_CREDENTIALS = ("Authorization", "Cookie")


class AssetUnavailable(Exception):
    """An image cannot be had; the text says why, and contains no credential. ``status``: the factory's, 0 for none."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class AssetPart:
    """An image or a part of it: the status 200, 206 or 416, the headers of :data:`DESCRIBING`, and the bytes."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes] = field(repr=False)


@contextmanager
def open_asset(asset: BootAsset, wanted: Mapping[str, str]) -> Iterator[AssetPart]:
    """Request an image; leaving the context, from any thread, ends the download.

    ``wanted``: the request's ``Range`` and ``If-Range``, as far as it has them. Raises :class:`AssetUnavailable`, also
    from the iteration of the bytes.
    """
    url, own = asset.url, dict(asset.headers)
    for _ in range(MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        with _sent(parts, {**own, **wanted}) as (response, host):
            if response.status not in _REDIRECTS:
                yield AssetPart(_checked(response, host), _describing(response), _chunks(response, host))
                return
            target = urlsplit(urljoin(url, response.headers.get("Location", "")))
        if parts.scheme == "https" and target.scheme != "https":
            raise AssetUnavailable(f"The image factory {host} redirects to a URL that is not https.")
        if (target.scheme, target.netloc) != (parts.scheme, parts.netloc):
            own = {name: value for name, value in own.items() if name.title() not in _CREDENTIALS}
        url = target.geturl()
    raise AssetUnavailable(f"The image factory {host} redirects more than {MOST_REDIRECTS} times.")


@contextmanager
def _sent(parts: SplitResult, headers: Mapping[str, str]) -> Iterator[tuple[http.client.HTTPResponse, str]]:
    """Send a GET; yield the response and the host. A user name in the URL becomes a header."""
    host = parts.hostname or ""
    head = {"User-Agent": f"omni-gateway/{__version__}", "Connection": "close", **headers}
    if parts.username is not None:
        credential = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        head["Authorization"] = f"Basic {base64.b64encode(credential).decode()}"
    connection: http.client.HTTPConnection | None = None
    response: http.client.HTTPResponse | None = None
    sock: socket.socket | None = None
    try:
        try:
            connection = _connection(parts, host)
            connection.connect()
            sock = connection.sock
            sock.settimeout(READ_SECONDS)
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=head)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AssetUnavailable(f"The image factory {host} gave no answer: {_reason(error)}.") from error
        yield response, host
    finally:
        if sock is not None:
            # Another thread may read: closing alone would not wake it.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        if response is not None:
            response.close()
        if connection is not None:
            connection.close()


def _connection(parts: SplitResult, host: str) -> http.client.HTTPConnection:
    """Return the connection to make; raise ``ValueError`` for a URL that is none of HTTP."""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, parts.port, timeout=CONNECT_SECONDS, context=ssl.create_default_context()
        )
    if parts.scheme != "http":
        raise ValueError("its URL is not one of HTTP")
    return http.client.HTTPConnection(host, parts.port, timeout=CONNECT_SECONDS)


def _checked(response: http.client.HTTPResponse, host: str) -> int:
    if response.status not in (200, 206, 416):
        raise AssetUnavailable(f"The image factory {host} answered {response.status}.", response.status)
    return response.status


def _describing(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name: value for name in DESCRIBING if (value := response.headers.get(name)) is not None}


def _chunks(response: http.client.HTTPResponse, host: str) -> Iterator[bytes]:
    """Yield the body; raise :class:`AssetUnavailable` where it ends before its length."""
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AssetUnavailable(f"The image factory {host} broke off: {_reason(error)}.") from error
    if response.length:
        raise AssetUnavailable(f"The image factory {host} broke off {response.length} bytes before the end.")


def _reason(error: Exception) -> str:
    """Return the text of an error, without anything that the peer sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, (OSError, ValueError)) and not isinstance(error, UnicodeError):
        return (getattr(error, "strerror", None) or str(error) or "cut off").lower()
    return "its response is not valid HTTP"
