"""Values that are written as one YAML scalar: numbers of a width, durations, sizes, addresses, URLs, enumerations."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_YES_AND_NO = frozenset(
    [*("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), *("n", "N", "no", "No", "NO", "off", "Off", "OFF")]
)
_INTEGERS = {f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1)) for bits in (8, 16, 32, 64)}
_INTEGERS |= {f"uint{bits}": (0, 2**bits) for bits in (8, 16, 32, 64)}
_INTEGERS |= {"int": _INTEGERS["int64"], "uint": _INTEGERS["uint64"]}
_DURATION = re.compile(r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_SIZE = re.compile(r"(?P<number>[\d.,]+)\s*(?P<unit>[a-zA-Z]*)\s*")
_SIZE_UNITS = frozenset(["", "b", *(prefix + end for prefix in "kmgtpe" for end in ("", "b", "i", "ib"))])
_CONDITION = re.compile(r"(>=|<=|>|<|==)?\s*(?P<size>.*)")
_READ_AS_STRINGS = frozenset(["string", "URL", "base64", "key", "disk size", "size condition", "argument"])
_PREFIX_BITS = re.compile(r"0|[1-9]\d{0,2}")
_PORT = re.compile(r"\d{1,5}")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*")
_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_ROUTING_TABLES = frozenset(["unspec", "default", "main", "local", *map(str, range(1, 253))])
_REDACTED = "******"


class Scalar(NamedTuple):
    """A scalar: its kind (string, number, boolean, null, timestamp), its text, and its value."""

    kind: str
    text: str
    value: object


def problem(type_: str, scalar: Scalar) -> str | None:
    """Return why a scalar is no value of a type; None when it is one. A null is one of every type."""
    if scalar.kind == "null":
        return None
    if type_ == "bool":
        fits = scalar.kind == "boolean" or (scalar.kind == "string" and scalar.text in _YES_AND_NO)
        return None if fits else f"takes true or false, not the {scalar.kind} {scalar.text[:40]!r}"
    if type_ == "port range" and scalar.kind == "number":
        type_ = "uint16"
    if type_ in _INTEGERS:
        low, high = _INTEGERS[type_]
        value = scalar.value
        fits = scalar.kind == "number" and _is_whole(value) and low <= int(value) < high  # type: ignore[call-overload]
        return None if fits else f"takes a number from {low} to {high - 1}, not the {scalar.kind} {scalar.text[:40]!r}"
    if type_ == "duration":
        whole = scalar.value == 0 or (isinstance(scalar.value, float) and scalar.value.is_integer())
        fits = bool(_DURATION.fullmatch(scalar.text)) if scalar.kind == "string" else whole
        return None if fits else f"takes a duration such as 30s or 1h, not {scalar.text[:40]!r}"
    if scalar.kind == "timestamp" and type_ in _READ_AS_STRINGS:
        return f"takes a string: put the date {scalar.text!r} in quotes"
    if type_ == "string":
        return None
    if type_ in TEXTS:
        what, fits_text = TEXTS[type_]
        return None if fits_text(scalar.text) else f"takes {what}, not {scalar.text[:40]!r}"
    if scalar.text.lower() in type_.split("|"):
        return None
    return f"takes one of {', '.join(type_.split('|')[:12])}, not {scalar.text[:40]!r}"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _size(text: str) -> bool:
    found = _SIZE.fullmatch(text)
    if found is None or found["unit"].lower() not in _SIZE_UNITS:
        return False
    number = found["number"].replace(",", "")
    return bool(re.fullmatch(r"\d+\.?\d*|\.\d+", number))


def _signed_size(text: str) -> bool:
    return not text or _size(text.removeprefix("-"))


def _volume_size(text: str) -> bool:
    if "%" not in text:
        return _signed_size(text)
    number = text.removesuffix("%").removeprefix("-")
    try:
        return text.endswith("%") and 0 <= float(number) <= 100
    except ValueError:
        return False


def _size_condition(text: str) -> bool:
    found = _CONDITION.fullmatch(text.strip())
    return found is not None and _size(found["size"].strip())


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _prefix(text: str) -> bool:
    address, slash, bits = text.rpartition("/")
    if not slash or "%" in address or not _address(address) or not _PREFIX_BITS.fullmatch(bits):
        return False
    return int(bits) <= ipaddress.ip_address(address).max_prefixlen


def _address_and_port(text: str) -> bool:
    address, _, port = text.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif ":" in address:
        return False
    return _address(address) and bool(_PORT.fullmatch(port)) and int(port) < 2**16


def _url(text: str) -> bool:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        return False
    rest, _, _ = text.partition("#")
    if _ESCAPE.search(rest.partition("?")[0]) or rest.startswith(":"):
        return False
    scheme, colon, after = rest.partition(":")
    if colon and not _SCHEME.fullmatch(scheme):
        return "/" in scheme or "?" in scheme  # a colon further on belongs to a path
    if not after.startswith("//"):
        return True
    host = re.split(r"[/?]", after[2:], maxsplit=1)[0].rpartition("@")[2]
    if any(char in host for char in ' "<>\\^`{|}'):
        return False
    port = host.rpartition("]")[2] if host.startswith("[") else host
    return ("]" in host or not host.startswith("[")) and bool(re.fullmatch(r"[^:]*(:\d*)?", port))


def _hardware_address(text: str) -> bool:
    return re.fullmatch(r"([0-9a-fA-F]{2})*", text.replace(":", "")) is not None


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _port_range(text: str) -> bool:
    low, _, high = text.partition("-")
    return all(_PORT.fullmatch(end) is not None and int(end) < 2**16 for end in (low, high))


def _optional(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: not text or fits(text)


TEXTS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "expression": ("an expression", lambda _: True),
    "bytes size": ("a size such as 100MB", _signed_size),
    "volume size": ("a size such as 100MB or 80%", _volume_size),
    "disk size": ("a size such as 100MB", _size),
    "size condition": ("a size such as '>= 100MB'", _size_condition),
    "address": ("an IP address", _optional(_address)),
    "prefix": ("an IP prefix such as 10.0.0.0/8", _optional(_prefix)),
    "address and port": ("an address and a port", _optional(_address_and_port)),
    "URL": ("a URL", _optional(_url)),
    "hardware address": ("a hardware address", _hardware_address),
    "base64": ("base64", _base64),
    "key": ("base64", lambda text: text == _REDACTED or _base64(text)),
    "routing table": ("a routing table's name or number", lambda text: text.lower() in _ROUTING_TABLES),
    "port range": ("a port or a range of ports", _port_range),
}
"""Types of text: a description of the accepted form, and the check."""
