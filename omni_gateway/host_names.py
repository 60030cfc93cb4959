"""Hosts and ports as they are compared: ``Host``, ``Origin`` and the setting ``OMNI_GATEWAY_ALLOWED_HOSTS``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_AUTHORITY = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Authority:
    """A host and a port (None: not said), in the one form in which they are compared."""

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Authority | None:
        """Read ``host[:port]``: lower case, without the dot of the root; None for what is neither."""
        found = _AUTHORITY.fullmatch(text)
        if found is None:
            return None
        name = found["name"].lower()
        if name.startswith("["):
            return _ipv6(name, found["port"])
        name = name.removesuffix(".")
        return cls(name, int(found["port"]) if found["port"] else None) if name else None

    def port_for(self, scheme: str) -> int | None:
        """Return the port, or that of the scheme where none is said."""
        return self.port or _DEFAULT_PORTS.get(scheme)


def _ipv6(name: str, port: str | None) -> Authority | None:
    try:
        address = ipaddress.IPv6Address(name[1:-1])
    except ValueError:
        return None
    return Authority(f"[{address.compressed}]", int(port) if port else None)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A host that is allowed; ``below``: all names below it too; without a port, on any."""

    authority: Authority
    below: bool = False

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read ``host``, ``host:port`` or ``.host``; ValueError for anything else. Other alphabets are IDNA-encoded."""
        name = text.removeprefix(".")
        try:
            ascii_name = name if name.isascii() else name.encode("idna").decode()
        except UnicodeError:
            ascii_name = ""
        authority = Authority.parse(ascii_name)
        if authority is None:
            raise ValueError(f"{text!r} is no host: write api.example.com, api.example.com:8443 or .example.com")
        return cls(authority, text.startswith("."))

    def fits(self, authority: Authority, scheme: str) -> bool:
        """Return whether a request's host is this one."""
        wanted, given = self.authority, authority
        if wanted.port is not None and wanted.port != given.port_for(scheme):
            return False
        return given.name == wanted.name or (self.below and given.name.endswith(f".{wanted.name}"))
