"""Checks of an issuer's addresses, against server-side request forgery.

The name is resolved once, every address is checked, and only these addresses are connected to. A name whose address
changes between check and connection (DNS rebinding) has therefore no effect.
"""

from __future__ import annotations

import socket
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Thread
from typing import Any

#: RFC 6052 §2.1: an IPv4 address in the last 32 bits, which a translator on the way would connect to.
_NAT64 = IPv6Network("64:ff9b::/96")

Address = tuple[socket.AddressFamily, Any]
"""A family and what ``socket.connect`` takes."""


def look_up(host: str, port: int, seconds: float) -> list[Address]:
    """Resolve a name; raise ``OSError`` if it has no address, or after ``seconds``.

    The system's resolver has no timeout, so it runs in a thread, which is abandoned after that time.
    """
    answer: Future[list[Address]] = Future()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result(list(dict.fromkeys((family, where) for family, _, _, _, where in found)))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error if isinstance(error, OSError) else OSError("this is no host name"))

    Thread(target=resolve, name="oidc-look-up", daemon=True).start()
    try:
        return answer.result(seconds)
    except TooLate:
        raise TimeoutError(f"the look-up took longer than {seconds:.0f} s") from None


def fault(where: Any, *, private: bool, loopback_only: bool) -> str:
    """Return the reason why an address must not be connected to; empty: it may be.

    ``private``: the operator allows private and loopback addresses. Link-local ones (where clouds serve machines'
    credentials), multicast and reserved ones are never allowed.
    """
    address = _innermost(ip_address(str(where[0]).partition("%")[0]))
    if loopback_only:
        if not address.is_loopback:
            return f"{address} is no loopback address, which http is for"
    elif address.is_global and not address.is_multicast:
        return ""
    reserved = address.is_reserved and not address.is_loopback  # ::1 is both
    if reserved or address.is_link_local or address.is_multicast or address.is_unspecified:
        return f"{address} is a reserved, link-local or multicast address, which is never connected to"
    if not private:
        return f"{address} is a private address: OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES does not allow it"
    return ""


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that is embedded in an IPv6 one (NAT64, mapped, 6to4, Teredo), else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
