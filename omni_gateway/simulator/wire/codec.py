"""Specs as JSON by the proto JSON mapping: lenient on input, of one form on output.

Inside the simulator a spec has proto field names, enums and 64-bit integers as numbers (see :mod:`.resource`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from omni_gateway.simulator.errors import Unknown
from omni_gateway.simulator.wire.types import Field, enums, messages

_WIDE = frozenset({"int64", "uint64", "sint64", "fixed64", "sfixed64"})
_NARROW = frozenset({"int32", "uint32", "sint32", "fixed32", "sfixed32"})
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")


def decode(message: str, value: Any) -> dict[str, Any]:
    """Read a spec, with names of either case, enums as names or numbers; :class:`Unknown` if it does not fit."""
    if not isinstance(value, Mapping):
        raise Unknown(f"{message} must be a JSON object, not {type(value).__name__}")
    known = _by_any_name(message)
    spec: dict[str, Any] = {}
    for key, item in value.items():
        field = known.get(key)
        if field is None:
            raise Unknown(f"{message} has no field {key!r}")
        if item is not None:
            spec[field.name] = _decode_field(field, item)
    return spec


def encode(message: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Write a spec: proto names, zero values left out, 64-bit integers as strings; ValueError on an unknown field."""
    writers = _writers(message)
    out: dict[str, Any] = {}
    try:
        for name, item in spec.items():
            write, empty_counts = writers[name]
            if item or (empty_counts and item is not None):
                out[name] = item if write is None else write(item)
    except KeyError:
        raise ValueError(f"{message} has no field {sorted(spec.keys() - writers.keys())}") from None
    return out


@cache
def _by_name(message: str) -> dict[str, Field]:
    return {field.name: field for field in messages()[message]}


@cache
def _by_any_name(message: str) -> dict[str, Field]:
    return {field.json_name: field for field in messages()[message]} | _by_name(message)


# -- reading


def _decode_field(field: Field, value: Any) -> Any:
    if field.repeated:
        if not isinstance(value, list):
            raise Unknown(f"{field.name} must be a list")
        return [_decode_one(field, item) for item in value]
    if field.map_key:
        if not isinstance(value, Mapping):
            raise Unknown(f"{field.name} must be a JSON object")
        return {str(key): _decode_one(field, item) for key, item in value.items()}
    return _decode_one(field, value)


def _decode_one(field: Field, value: Any) -> Any:
    read = _READERS.get(field.type)
    try:
        if read is not None:
            return read(value)
        if field.type.startswith("enum "):
            return _enum(field.type.removeprefix("enum "), value)
        if field.type in _WIDE or field.type in _NARROW:
            return _integer(field.type, value)
        return decode(field.type, value)
    except ValueError as error:
        raise Unknown(f"{field.name} is not a valid {field.type}: {error}") from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a string is needed")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is needed")
    return value


def _integer(type_: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("a number is needed")
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError("a whole number is needed")
    bits = 64 if type_ in _WIDE else 32
    low, high = (0, 2**bits) if type_.startswith(("u", "f")) else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= number < high:
        raise ValueError("the number is out of range")
    return number


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("a number is needed")
    return float(value)


def _bytes(value: Any) -> str:
    text = _string(value).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64encode(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)).decode()
    except binascii.Error:
        raise ValueError("base64 is needed") from None


def _duration(value: Any) -> str:
    if not _DURATION.fullmatch(_string(value)):
        raise ValueError('seconds with an "s" are needed')
    return str(value)


def _timestamp(value: Any) -> str:
    moment = datetime.fromisoformat(_string(value))
    if moment.tzinfo is None:
        raise ValueError("RFC 3339 with a zone is needed")
    return timestamp(moment)


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, without a fraction when it has none."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _enum(name: str, value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError("an enum's name or number is needed")
    if isinstance(value, int):
        return value
    number = enums()[name].get(_string(value))
    if number is None:
        raise ValueError(f"{value!r} is no value of {name}")
    return number


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "bool": _boolean,
    "double": _float,
    "float": _float,
    "bytes": _bytes,
    "google.protobuf.Duration": _duration,
    "google.protobuf.Timestamp": _timestamp,
}


# -- writing


Writer = Callable[[Any], Any]


@cache
def _writers(message: str) -> dict[str, tuple[Writer | None, bool]]:
    """Return the writer of every field (None: the value as it is), and whether an empty one is a value."""
    return {name: (_writer(field), _is_message(field)) for name, field in _by_name(message).items()}


def _is_message(field: Field) -> bool:
    return field.type in messages() and not (field.repeated or field.map_key)


def _writer(field: Field) -> Writer | None:
    one: Writer | None = str if field.type in _WIDE else None
    if field.type in messages():
        one = partial(encode, field.type)
    if one is None or not (field.repeated or field.map_key):
        return one
    write = one
    if field.map_key:
        return lambda value: {key: write(item) for key, item in value.items()}
    return lambda value: [write(item) for item in value]
