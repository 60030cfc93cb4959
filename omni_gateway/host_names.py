"""Hosts and ports of the settings and of requests.

Normalised, to compare ``Host``, ``Origin`` and ``OMNI_GATEWAY_ALLOWED_HOSTS``; and the addresses to listen at.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

#: The default of ``OMNI_GATEWAY_BIND``.
DEFAULT_BIND = "127.0.0.1:8080"

_AUTHORITY = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Authority:
    """A host in normal form and a port (None: not given)."""

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Authority | None:
        """Parse ``host[:port]``: lower case, without the root's dot; None if it is invalid."""
        found = _AUTHORITY.fullmatch(text)
        if found is None:
            return None
        name = found["name"].lower()
        if name.startswith("["):
            return _ipv6(name, found["port"])
        name = name.removesuffix(".")
        return cls(name, int(found["port"]) if found["port"] else None) if name else None

    def port_for(self, scheme: str) -> int | None:
        """Return the port; the scheme's default one if none is given."""
        return self.port or _DEFAULT_PORTS.get(scheme)


def _ipv6(name: str, port: str | None) -> Authority | None:
    try:
        address = ipaddress.IPv6Address(name[1:-1])
    except ValueError:
        return None
    return Authority(f"[{address.compressed}]", int(port) if port else None)


@dataclass(frozen=True, slots=True)
class Pattern:
    """An allowed host; ``subdomains``: its subdomains too; without a port, any port."""

    authority: Authority
    subdomains: bool = False

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Parse ``host``, ``host:port`` or ``.host``; raise ValueError. Names in other alphabets are IDNA-encoded."""
        name = text.removeprefix(".")
        try:
            ascii_name = name if name.isascii() else name.encode("idna").decode()
        except UnicodeError:
            ascii_name = ""
        authority = Authority.parse(ascii_name)
        if authority is None:
            raise ValueError(f"{text!r} is not a host: write api.example.com, api.example.com:8443 or .example.com")
        return cls(authority, text.startswith("."))

    def fits(self, authority: Authority, scheme: str) -> bool:
        """Return whether a request's host matches the pattern."""
        wanted, given = self.authority, authority
        if wanted.port is not None and wanted.port != given.port_for(scheme):
            return False
        return given.name == wanted.name or (self.subdomains and given.name.endswith(f".{wanted.name}"))


def ip_and_port(text: str) -> tuple[str, int]:
    """Parse ``IP:PORT``, an IPv6 address in brackets; raise ValueError. The address is in its normal form."""
    parts = urlsplit(f"//{text}")
    address = ipaddress.ip_address(parts.hostname or "")
    if not parts.port or parts.path:
        raise ValueError(f"{text!r} is not an IP address and a port")
    return str(address), parts.port
