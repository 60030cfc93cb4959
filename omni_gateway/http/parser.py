"""Parsing of requests: unambiguous JSON bodies, and query parameters that the route declares; else a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from omni_gateway import strict_json as strict
from omni_gateway.http.body_forms import BodyForm, sent_body
from omni_gateway.http.changed_fields import note_body
from omni_gateway.http.field_errors import UNKNOWN, flatten
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.problems import Problem, forget_frames
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.lru import LRUCache

JSON = "application/json"
MOST_CACHED_QUERIES = 1024
#: Bytes; longer query strings are parsed each time.
LONGEST_CACHED_QUERY = 512


def strict_json(request: Request, *, allow: Sequence[str] = (JSON,)) -> Any:
    """Return the body's JSON value.

    Raises problems: 415 for another media type than ``allow``, 413 for too large a body, 400 for invalid or ambiguous
    JSON: an empty body, duplicate keys, NaN, numbers beyond 64 bits, lone surrogates, nesting deeper than 64; 413 for
    more than 100,000 values. Takes time linear in the body's length.
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
    try:
        value = strict.parse(raw)
    except strict.TooManyValues as error:
        raise Problem(413, "too-large", str(error)) from error
    except strict.BadJson as error:
        raise Problem(400, "bad-json", str(error)) from error
    note_body(request.environ, value)
    return value


class GatewayParser(FlaskParser):
    """webargs' parser with JSON through :func:`strict_json`; unknown fields and query parameters are refused."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": ma.RAISE, "query": ma.RAISE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queries: LRUCache[tuple[ma.Schema, bytes], dict[str, Any]] = LRUCache(MOST_CACHED_QUERIES)

    def parse(self, argmap: Any, req: Request | None = None, *, location: str | None = None, **options: Any) -> Any:
        """Parse and validate by a schema; valid query strings are cached by their bytes."""
        request = req or self.get_default_request()
        if location != "query" or not isinstance(argmap, ma.Schema) or len(request.query_string) > LONGEST_CACHED_QUERY:
            return super().parse(argmap, request, location=location, **options)
        key = (argmap, request.query_string)
        parsed = self._queries.get(key)
        if parsed is None:
            parsed = super().parse(argmap, request, location=location, **options)
            self._queries.put(key, parsed)
        return dict(parsed)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Read the body; with ``body_optional`` in the schema, a missing body counts as an empty object.

        The media type may be there without a body: generated clients send it all the same. A body of one of the
        schema's ``body_forms`` becomes the JSON value that it stands for.
        """
        optional = getattr(schema, "body_optional", False) and req.mimetype in ("", JSON)
        if optional and not req.get_data(cache=True):
            return {}
        forms: Mapping[str, BodyForm] = getattr(schema, "body_forms", {})
        if (form := forms.get(req.mimetype)) is not None:
            value = form.read(sent_body(req))
            note_body(req.environ, value)
            return value
        return strict_json(req, allow=(JSON, *forms))

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Raise a 422 problem with a message per field; for unknown fields and parameters it suggests a known name."""
        forget_frames(error)
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
    """flask-smorest's blueprint with :class:`GatewayParser`, and the :class:`Tag` of its routes in the document.

    :param extends: the name of another blueprint, whose objects the routes are about: the document and the audit count
        them to that one.
    :param plugin: the name of the plugin whose code answers; by default that of the blueprint.
    """

    ARGUMENTS_PARSER = GatewayParser()

    def __init__(self, *args: Any, tag: Tag | None = None, extends: str = "", plugin: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plugin = plugin or self.name
        self.tag = tag or Tag()
        self.extends = extends

    def add_url_rule(self, *args: Any, tags: Sequence[str] | None = None, **options: Any) -> None:
        """Add a route; its tag in the document is that of the extended blueprint, if there is one."""
        super().add_url_rule(*args, tags=tags or ([self.extends] if self.extends else None), **options)
