"""A strict JSON parser: ambiguous documents are errors, and it takes linear time."""

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
#: Possessive quantifiers, and an unterminated string matches too: linear time for any text, without backtracking.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BadJson(ValueError):
    """The bytes are not JSON, or ambiguous; the text is the reason, with its position where that is known."""


class TooManyValues(BadJson):
    """The document has more than ``MAX_VALUES`` values."""


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON document in UTF-8.

    :raises BadJson: it is invalid, has duplicate keys, NaN, numbers beyond 64 bits, lone surrogates, or is nested
        deeper than ``max_depth``.
    :raises TooManyValues: it has more than ``MAX_VALUES`` values.
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
    """Check nesting and number of values, before the parser recurses or allocates; strings are left out first."""
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
        raise BadJson(f"The key {twice[:_SHOWN]!r} occurs twice in one object.")
    return result


def _integer(text: str) -> int:
    """Convert an integer; raise beyond 64 bits, which neither protobuf nor most JSON parsers represent.

    The length is checked first, for the conversion of many digits takes quadratic time.
    """
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (value := int(text)) < 2**64:
        raise BadJson("A number is larger than 64 bits.")
    return value


def _float(text: str) -> float:
    """Convert a number; raise for one that would become infinity, which JSON does not have."""
    value = float(text)
    if math.isinf(value):
        raise BadJson("A number is larger than 64 bits.")
    return value


def _no_constant(text: str) -> NoReturn:
    raise BadJson(f"{text} is not a JSON value.")


def _check_text(value: Any) -> None:
    """Raise for lone surrogates, which neither protobuf nor most JSON parsers accept."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise BadJson("A text has a lone surrogate, which is not a Unicode character.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
