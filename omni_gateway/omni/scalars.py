"""Conversion of single values of a spec, from all the forms that people and tools write, to protobuf's JSON form.

Each reader returns a value in the form that Omni prints, or raises ``ValueError`` with the accepted forms.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from omni_gateway.omni.messages import enum, folded
from omni_gateway.plain_scalar import PlainScalar, value_of

DURATION = "google.protobuf.Duration"
TIMESTAMP = "google.protobuf.Timestamp"
_WIDE = frozenset({"int64", "uint64"})
_BOUNDS = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,19})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
#: As Go prints a duration; and a number of seconds of any length, as protobuf does.
_GO_DURATION = re.compile(r"(\d{1,15})(?:\.(\d{1,15}))?(h|ms|m|s|us|µs|μs|ns)")
_UNIT_NANOS = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}
_SECOND = 1_000_000_000
_LONGEST_DURATION_SECONDS = 315_576_000_000
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799


def read(type: str, value: Any) -> Any:
    """Return a value of a scalar type, an enum, a duration or a time in Omni's form; ``ValueError`` if it is none."""
    if type.startswith("enum "):
        return _enum(type, value_of(value))
    if type in _BOUNDS:
        number = _integer(type, value_of(value))
        return str(number) if type in _WIDE else number
    return _READERS[type](value)


def is_zero(type: str, value: Any) -> bool:
    """Return whether a value from :func:`read` is the zero of its type, which Omni leaves out of its JSON.

    A duration or a time is a message, which is set or not: it has no zero.
    """
    return type not in (DURATION, TIMESTAMP) and (not value or (type in _WIDE and value == "0"))


def map_key(type: str, key: Any) -> str:
    """Return a map's key as JSON has it, as a text; ``ValueError`` for one that is not of the type."""
    text = str(key)
    if type == "string":
        return _string(text)
    return str(_integer(type, text))


def _string(value: Any) -> str:
    if isinstance(value, PlainScalar):
        return value.text
    if not isinstance(value, str):
        raise ValueError("Must be a text.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("Must not hold a lone surrogate, which is no Unicode character.")
    return value


def _boolean(value: Any) -> bool:
    value = value_of(value)
    if not isinstance(value, bool):
        raise ValueError("Must be true or false.")
    return value


def _integer(type: str, value: Any) -> int:
    """Read a whole number; protobuf's JSON form of it may be a text, and has one for 64 bits."""
    low, high = _BOUNDS[type]
    value = _whole(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"Must be a whole number from {low} to {high}.")
    return value


def _whole(value: Any) -> Any:
    """Return a number without a fraction as an integer, as protobuf reads ``1.0``; anything else as it is."""
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value


def _double(value: Any) -> float:
    value = value_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("Must be a number.")
    return float(value)


def _bytes(value: Any) -> str:
    """Read bytes: base64 as JSON has them, or a list of numbers as omnictl prints them."""
    if isinstance(value, list):
        numbers = [value_of(item) for item in value]
        if not all(
            isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 256 for number in numbers
        ):
            raise ValueError("Must be base64, or a list of numbers from 0 to 255.")
        return base64.b64encode(bytes(numbers)).decode()
    text = value.text if isinstance(value, PlainScalar) else value
    if not isinstance(text, str) or not _BASE64.fullmatch(text):
        raise ValueError("Must be base64, or a list of numbers from 0 to 255.")
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64encode(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)).decode()
    except binascii.Error:
        raise ValueError("Must be base64, or a list of numbers from 0 to 255.") from None


def _enum(type: str, value: Any) -> int:
    """Read an enum by its name or number; a number without a name may be one of a newer Omni."""
    names = enum(type)
    if isinstance(value, str) and value in names:
        return names[value]
    value = _whole(value)
    low, high = _BOUNDS["int32"]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"Must be one of: {', '.join(names)}.")
    return value


def _duration(value: Any) -> str:
    wanted = "Must be a duration, such as 90s, 15m, 1h30m or {seconds: 90}."
    if isinstance(value, Mapping):
        seconds, nanos = _parts(value, wanted)
        if abs(nanos) >= _SECOND or (seconds and nanos and (seconds < 0) != (nanos < 0)):
            raise ValueError("`nanos` must be less than a second, of the sign of `seconds`.")
        return _duration_text(seconds * _SECOND + nanos)
    text = value.text if isinstance(value, PlainScalar) and value.text == "0" else value
    if not isinstance(text, str) or not text or len(text) > 100:
        raise ValueError(wanted)
    sign, bare = (-1, text[1:]) if text.startswith("-") else (1, text)
    if bare == "0":
        return "0s"
    if not bare or _GO_DURATION.sub("", bare):
        raise ValueError(wanted)
    total = 0
    for whole, fraction, unit in _GO_DURATION.findall(bare):
        total += int(whole) * _UNIT_NANOS[unit]
        total += int(fraction) * _UNIT_NANOS[unit] // 10 ** len(fraction) if fraction else 0
    return _duration_text(sign * total)


def _duration_text(nanos: int) -> str:
    if abs(nanos) > _LONGEST_DURATION_SECONDS * _SECOND:
        raise ValueError("Must be at most 10,000 years.")
    sign = "-" if nanos < 0 else ""
    seconds, rest = divmod(abs(nanos), _SECOND)
    return f"{sign}{seconds}{_fraction(rest)}s"


def _timestamp(value: Any) -> str:
    wanted = "Must be an RFC 3339 time such as 2026-08-21T10:00:00Z, or {seconds: …}."
    if isinstance(value, Mapping):
        seconds, nanos = _parts(value, wanted)
        if not 0 <= nanos < _SECOND:
            raise ValueError("`nanos` must be from 0 to 999999999.")
        return _timestamp_text(seconds, nanos)
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(wanted)
    text, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{text}+00:00")
    except ValueError:
        raise ValueError(wanted) from None
    offset = (int(hours) * 3600 + int(minutes) * 60) * (1 if sign == "+" else -1) if sign else 0
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - offset
    return _timestamp_text(seconds, int((fraction or "0").ljust(9, "0")))


def _timestamp_text(seconds: int, nanos: int) -> str:
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        raise ValueError("Must be in the years 1 to 9999.")
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment.replace(tzinfo=None).isoformat()}{_fraction(nanos)}Z"


def _fraction(nanos: int) -> str:
    """Write a fraction of a second with 0, 3, 6 or 9 digits, as protobuf does."""
    text = f"{nanos:09d}"
    while text.endswith("000"):
        text = text[:-3]
    return f".{text}" if text else ""


def _parts(value: Mapping[str, Any], wanted: str) -> tuple[int, int]:
    """Return ``seconds`` and ``nanos`` of a message, each 0 where it is not there."""
    found = {"seconds": 0, "nanos": 0}
    for key, item in value.items():
        name = folded(str(key))
        if name not in found:
            raise ValueError(wanted)
        if value_of(item) is not None:
            found[name] = _integer("int64" if name == "seconds" else "int32", value_of(item))
    return found["seconds"], found["nanos"]


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "string": _string,
    "bool": _boolean,
    "double": _double,
    "bytes": _bytes,
    DURATION: _duration,
    TIMESTAMP: _timestamp,
}
