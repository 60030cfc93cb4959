"""Which addresses an issuer may be at, and how its name is looked up."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from omni_gateway.auth.oidc import addresses

NEVER = "is a reserved, link-local or multicast address, which is never connected to"
PRIVATE = "is a private address: OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES does not allow it"
HTTP = "is no loopback address, which http is for"


@pytest.mark.parametrize(
    ("address", "private", "loopback_only", "fault"),
    [
        ("93.184.216.34", False, False, ""),
        ("2606:4700::1111", False, False, ""),
        ("64:ff9b::5db8:d822", False, False, ""),
        ("10.0.0.1", True, False, ""),
        ("10.0.0.1", False, False, f"10.0.0.1 {PRIVATE}"),
        ("::1", True, False, ""),
        ("::1", False, False, f"::1 {PRIVATE}"),
        ("fd00::1%eth0", False, False, f"fd00::1 {PRIVATE}"),
        ("64:ff9b::a00:1", False, False, f"10.0.0.1 {PRIVATE}"),
        ("::ffff:10.0.0.1", False, False, f"10.0.0.1 {PRIVATE}"),
        ("2002:a00:1::1", False, False, f"10.0.0.1 {PRIVATE}"),
        ("2001:0:5db8:d822::f5ff:fffe", False, False, f"10.0.0.1 {PRIVATE}"),
        ("169.254.169.254", True, False, f"169.254.169.254 {NEVER}"),
        ("fe80::1%eth0", True, False, f"fe80::1 {NEVER}"),
        ("224.0.0.1", True, False, f"224.0.0.1 {NEVER}"),
        ("ff0e::1", True, False, f"ff0e::1 {NEVER}"),
        ("240.0.0.1", True, False, f"240.0.0.1 {NEVER}"),
        ("0.0.0.0", True, False, f"0.0.0.0 {NEVER}"),
        ("::", True, False, f":: {NEVER}"),
        ("127.0.0.1", True, True, ""),
        ("::1", True, True, ""),
        ("127.0.0.1", False, True, f"127.0.0.1 {PRIVATE}"),
        ("10.0.0.1", True, True, f"10.0.0.1 {HTTP}"),
        ("93.184.216.34", True, True, f"93.184.216.34 {HTTP}"),
    ],
)
def test_an_address_may_be_connected_to_or_the_reason_is_given(
    address: str, private: bool, loopback_only: bool, fault: str
) -> None:
    assert addresses.fault((address, 443), private=private, loopback_only=loopback_only) == fault


def test_a_name_is_looked_up_once_for_streams_and_each_of_its_addresses_is_returned_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))
    other = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 443, 0, 0))

    def resolve(*arguments: Any, **options: Any) -> list[Any]:
        asked.append((arguments, options, threading.current_thread().name, threading.current_thread().daemon))
        return [other, entry, other]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    found = addresses.look_up("login.example.com", 443, 60)
    assert found == [(socket.AF_INET6, ("2001:db8::1", 443, 0, 0)), (socket.AF_INET, ("192.0.2.1", 443))]
    assert asked == [(("login.example.com", 443), {"type": socket.SOCK_STREAM}, "oidc-look-up", True)]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (UnicodeError("label too long"), "this is no host name"),
    ],
)
def test_a_name_that_cannot_be_looked_up_is_an_error_of_the_system(
    monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        raise error

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    with pytest.raises(OSError) as raised:
        addresses.look_up("x", 443, 60)
    assert (raised.value.strerror or str(raised.value)) == text


def test_a_look_up_that_takes_too_long_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: [][end.wait(60) :])
    with pytest.raises(TimeoutError) as raised:
        addresses.look_up("x", 443, 0.01)
    end.set()
    assert str(raised.value) == "the look-up took longer than 0 s"
