"""What comes in: bodies that can be read in one way only, query parameters that the route knows, or a problem."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from omni_gateway.http.field_errors import UNKNOWN, flatten
from omni_gateway.http.nearest import did_you_mean
from omni_gateway.http.problems import Problem

MAX_DEPTH = 64
MAX_VALUES = 100_000
JSON = "application/json"
#: Of an integer of 64 bits, its sign included.
_LONGEST_INTEGER = 20
#: Characters of the caller's own text that an answer repeats.
_SHOWN = 100
#: Possessive, and content with a string that never ends: no body makes it look at a byte twice.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def strict_json(request: Request, *, allow: Sequence[str] = (JSON,)) -> Any:
    """Return the body's JSON value.

    Raises problems: 415 for another media type than ``allow``, 413 for too large a body, 400 for anything that is no
    JSON or could be read in two ways: an empty body, duplicate keys, NaN, numbers beyond 64 bits, lone surrogates,
    nesting deeper than 64; 413 for more than 100,000 values. The time it takes grows with the body's length, no faster.
    """
    if request.mimetype not in allow:
        accepted = ", ".join(allow)
        header = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        given = request.mimetype or "no Content-Type"
        raise Problem(415, "unsupported-media-type", f"Send {accepted}; this was {given}.", headers={header: accepted})
    try:
        raw = request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise Problem(413, "too-large", "The body is larger than this gateway takes.") from error
    if not raw.strip():
        raise Problem(400, "bad-json", "The body is empty.")
    _check_size(raw)
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "bad-json", _explain(error)) from error
    _check_text(value)
    return value


def _explain(error: json.JSONDecodeError | UnicodeDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    return "The body is not UTF-8."


def _check_size(raw: bytes) -> None:
    """Bound the nesting before any parser recurses, and the values before any is made; strings do not count."""
    bare = _STRINGS.sub(b"", raw)
    if bare.count(b",") >= MAX_VALUES:
        raise Problem(413, "too-large", f"The body holds more than {MAX_VALUES} values.")
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Problem(400, "bad-json", f"Nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Problem(400, "bad-json", f"The key {twice[:_SHOWN]!r} stands twice in one object.")
    return result


def _integer(text: str) -> int:
    """Refuse what neither protobuf nor most JSON readers can carry, before Python spends time on the digits."""
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (value := int(text)) < 2**64:
        raise Problem(400, "bad-json", "A number is larger than 64 bits.")
    return value


def _float(text: str) -> float:
    """Refuse what would be read as infinity, for which JSON has no word."""
    value = float(text)
    if math.isinf(value):
        raise Problem(400, "bad-json", "A number is larger than 64 bits.")
    return value


def _no_constant(text: str) -> NoReturn:
    raise Problem(400, "bad-json", f"{text} is no JSON value.")


def _check_text(value: Any) -> None:
    """Refuse lone surrogates: neither protobuf nor most JSON readers can carry them."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise Problem(400, "bad-json", "A text holds a lone surrogate, which is no Unicode character.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


class GatewayParser(FlaskParser):
    """webargs with our strictness: JSON through :func:`strict_json`, unknown names refused everywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": ma.RAISE, "query": ma.RAISE}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Read the body; where the schema says ``body_optional``, none at all is an empty object."""
        if getattr(schema, "body_optional", False) and not req.content_type and not req.get_data(cache=True):
            return {}
        return strict_json(req)

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Turn marshmallow's messages into a problem that names each field, and for unknown ones the nearest."""
        by_location: Mapping[str, Any] = (
            error.messages if isinstance(error.messages, dict) else {"json": error.messages}
        )
        if "query" in by_location:
            raise _query_problem(by_location["query"], schema)
        raise Problem(422, "validation", errors=flatten(by_location.get("json", by_location), schema=schema))


def _query_problem(messages: Mapping[str, Any], schema: ma.Schema) -> Problem:
    known = tuple(field.data_key or name for name, field in schema.load_fields.items())
    unknown = [name for name, texts in messages.items() if texts == [UNKNOWN]]
    if unknown:
        errors = {name: [f"No such parameter{did_you_mean(name, known)}"] for name in unknown}
        return Problem(
            422, "unknown-parameter", f"No parameter {unknown[0]!r}{did_you_mean(unknown[0], known)}", errors=errors
        )
    return Problem(422, "validation", errors=flatten(messages, schema=schema))


class GatewayBlueprint(Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint with our parser."""

    ARGUMENTS_PARSER = GatewayParser()
