"""What comes in: bodies that can be read in one way only, query parameters that the route knows, or a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from omni_gateway.http.nearest import did_you_mean
from omni_gateway.http.problems import Problem, flatten

MAX_DEPTH = 64
JSON = "application/json"
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def strict_json(request: Request, *, allow: Sequence[str] = (JSON,)) -> Any:
    """Return the body's JSON value.

    Raises problems: 415 for another media type than ``allow``, 413 for too large a body, 400 for anything that is no
    JSON or could be read in two ways: duplicate keys, NaN, lone surrogates, nesting deeper than 64, an empty body.
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
    _check_depth(raw)
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Problem(400, "bad-json", _explain(error)) from error
    _check_text(value)
    return value


def _explain(error: json.JSONDecodeError | UnicodeDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    return "The body is not UTF-8."


def _check_depth(raw: bytes) -> None:
    """Bound the nesting before any parser recurses; brackets inside strings do not count."""
    depth = 0
    for bracket in _STRINGS.sub(b"", raw).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Problem(400, "bad-json", f"Nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem(400, "bad-json", f"The key {twice!r} stands twice in one object.")
    return result


def _no_constant(text: str) -> NoReturn:
    raise Problem(400, "bad-json", f"{text} is no JSON value.")


def _check_text(value: Any) -> None:
    """Refuse lone surrogates and numbers beyond 64 bits: neither protobuf nor most JSON readers can carry them."""
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
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise Problem(400, "bad-json", "A number is larger than 64 bits.")


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
        known = tuple(field.data_key or name for name, field in schema.load_fields.items())
        if "query" in by_location:
            raise _query_problem(by_location["query"], known)
        messages = by_location.get("json", by_location)
        if not isinstance(messages, Mapping):
            messages = {"_": messages}
        raise Problem(422, "validation", errors=flatten(messages, known))


def _query_problem(messages: Mapping[str, Any], known: tuple[str, ...]) -> Problem:
    unknown = [name for name, texts in messages.items() if texts == ["Unknown field."]]
    if unknown:
        errors = {name: [f"No such parameter{did_you_mean(name, known)}"] for name in unknown}
        return Problem(
            422, "unknown-parameter", f"No parameter {unknown[0]!r}{did_you_mean(unknown[0], known)}", errors=errors
        )
    return Problem(422, "validation", errors=flatten(messages, known))


class GatewayBlueprint(Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint with our parser."""

    ARGUMENTS_PARSER = GatewayParser()
