"""JSON that can be read in one way only, in time that grows with its length and no faster."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_VALUES = 100_000
#: Of an integer of 64 bits, its sign included.
_LONGEST_INTEGER = 20
#: Characters of the sender's own text that an error repeats.
_SHOWN = 100
#: Possessive, and content with a string that never ends: no text makes it look at a byte twice.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BadJson(ValueError):
    """The bytes are no JSON, or could be read in two ways; the text says where and why."""


class TooManyValues(BadJson):
    """The bytes would make more values than anybody needs."""


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value of some UTF-8.

    :raises BadJson: it is none, has duplicate keys, NaN, numbers beyond 64 bits, lone surrogates, or is nested deeper
        than ``max_depth``.
    :raises TooManyValues: it holds more than ``MAX_VALUES``.
    """
    _check_size(raw, max_depth)
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"{error.msg} at line {error.lineno}, column {error.colno}.") from error
    except UnicodeDecodeError as error:
        raise BadJson("The body is not UTF-8.") from error
    _check_text(value)
    return value


def _check_size(raw: bytes, max_depth: int) -> None:
    """Bound the nesting before any parser recurses, and the values before any is made; strings do not count."""
    bare = _STRINGS.sub(b"", raw)
    if bare.count(b",") >= MAX_VALUES:
        raise TooManyValues(f"The body holds more than {MAX_VALUES} values.")
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > max_depth:
            raise BadJson(f"Nested deeper than {max_depth} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise BadJson(f"The key {twice[:_SHOWN]!r} stands twice in one object.")
    return result


def _integer(text: str) -> int:
    """Refuse what neither protobuf nor most JSON readers can carry, before Python spends time on the digits."""
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (value := int(text)) < 2**64:
        raise BadJson("A number is larger than 64 bits.")
    return value


def _float(text: str) -> float:
    """Refuse what would be read as infinity, for which JSON has no word."""
    value = float(text)
    if math.isinf(value):
        raise BadJson("A number is larger than 64 bits.")
    return value


def _no_constant(text: str) -> NoReturn:
    raise BadJson(f"{text} is no JSON value.")


def _check_text(value: Any) -> None:
    """Refuse lone surrogates: neither protobuf nor most JSON readers can carry them."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise BadJson("A text holds a lone surrogate, which is no Unicode character.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
