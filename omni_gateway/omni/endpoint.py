"""Omni's address: parses the URL ``OMNI_ENDPOINT`` into the target of a gRPC channel."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from omni_gateway.omni.faults import ConfigError

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (bare IPv6 without brackets, names in their ASCII form), a port, and whether to speak TLS."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """Return ``host:port`` with IPv6 in brackets, as HTTP's ``:authority`` wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """Return the channel target; the scheme keeps gRPC from reading a host's name as a resolver's."""
        return f"dns:///{self.authority}"

    @property
    def loopback(self) -> bool:
        """Return whether the host is this machine, by name or by address."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_endpoint(url: str, *, variable: str = "OMNI_ENDPOINT") -> Endpoint:
    """Parse ``https://host[:port]`` (TLS, 443) or ``http://host[:port]`` (plaintext, 80).

    Raises ``ConfigError`` that names ``variable``; it never repeats the URL, which may hold a password.
    """
    parts = _split(url.strip(), variable)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ConfigError(f"{variable} must be a URL such as https://omni.example.com (or http://127.0.0.1:8080)")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{variable} must not carry a user name or password; the service account's key signs calls")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"{variable} must end after the host and port; Omni is served at the root of its address")
    return Endpoint(_host(parts, variable), _port(parts, scheme, variable), scheme == "https")


def _split(url: str, variable: str) -> SplitResult:
    if not url:
        raise ConfigError(f"{variable} is empty")
    if len(url) > _LONGEST_URL or any(character.isspace() or not character.isprintable() for character in url):
        raise ConfigError(f"{variable} is not a URL: it is too long or holds spaces or control characters")
    try:
        return urlsplit(url)
    except ValueError:
        raise ConfigError(f"{variable} is not a URL: its host cannot be read") from None


def _host(parts: SplitResult, variable: str) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return _ipv6(host, variable)
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ConfigError(f"{variable} names a host that is not a valid DNS name") from None
    if not ascii_host or not all(c.isalnum() or c in "-._" for c in ascii_host):
        raise ConfigError(f"{variable} names no valid host")
    return ascii_host


def _ipv6(host: str, variable: str) -> str:
    try:
        if "%" in host:
            raise ValueError("a zone names an interface of one machine; gRPC cannot carry it")
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ConfigError(f"{variable} names an IPv6 address that cannot be read") from None


def _port(parts: SplitResult, scheme: str, variable: str) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        if parts.netloc.endswith(":"):
            raise ConfigError(f"{variable} ends in a colon with no port after it")
        return _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise ConfigError(f"{variable} must have a port between 1 and 65535")
    return port
