"""flask-smorest's Api with the gateway's problems, schema names, and an OpenAPI document that is rendered once."""

from __future__ import annotations

import logging
from typing import Any, cast

import marshmallow as ma
import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from omni_gateway.http.concealment import concealed
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.openapi_links import add_links
from omni_gateway.http.paths import TICKET_PARAMETER
from omni_gateway.http.problems import MEDIA_TYPE, Problem, ProblemSchema, code_for_status
from omni_gateway.http.request_id import request_id
from omni_gateway.http.store_errors import problem_for_store
from omni_gateway.omni.errors import OmniError
from omni_gateway.store import StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)

_DETAILS = {
    404: "There is nothing at this URL; `/api/v1` lists the resources and `/openapi.json` every route.",
    405: "This URL does not take this method; the Allow header names those it takes.",
    413: "The body is larger than this gateway takes.",
}

DOCUMENT = "omni_gateway_openapi"


class SchemaNameTaken(ValueError):
    """Two different schemas would have one name in the document."""


class SchemaNames:
    """Resolve schemas to their names in the document.

    apispec would rename the second of two schemas with one name; here that is an error of the plugin that brings it.
    """

    def __init__(self) -> None:
        self._taken: dict[str, type[ma.Schema]] = {}

    def __call__(self, schema: Any) -> str:
        """Return its class's name without ``Schema``; raise :class:`SchemaNameTaken` if another class has that name."""
        kind = schema if isinstance(schema, type) else type(schema)
        name = str(kind.__name__.removesuffix("Schema") or kind.__name__)
        other = self._taken.setdefault(name, kind)
        if (other.__module__, other.__qualname__) != (kind.__module__, kind.__qualname__):
            raise SchemaNameTaken(
                f"the schema name {name!r} is used by {other.__module__}.{other.__qualname__}"
                f" and by {kind.__module__}.{kind.__qualname__}; rename one"
            )
        return name


class GatewayApi(Api):  # type: ignore[misc]
    """The API of one application."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        names = SchemaNames()
        super().__init__(app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=names)})
        self.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        ticket = {
            "type": "apiKey",
            "in": "query",
            "name": TICKET_PARAMETER,
            "description": "A ticket of `POST /api/v1/stream-tickets`, for one stream of a browser's `EventSource`",
        }
        self.spec.components.security_scheme("ticket", ticket)

    @property
    def app(self) -> Flask:
        """Return the application."""
        return cast(Flask, self._app)

    def _register_doc_blueprint(self) -> None:
        """Register no routes: :mod:`omni_gateway.http.document` serves the bytes that :func:`freeze` renders."""

    def _register_error_handlers(self) -> None:
        self._app.register_error_handler(Problem, lambda error: concealed(error).response())
        self._app.register_error_handler(OmniError, lambda error: concealed(problem_for(error)).response())
        for kind in (StoreUnavailable, StoreRefused):
            self._app.register_error_handler(kind, lambda error: problem_for_store(error).response())
        self._app.register_error_handler(ma.ValidationError, lambda error: Problem.from_validation(error).response())
        self._app.register_error_handler(HTTPException, self.handle_http_exception)
        self._app.register_error_handler(Exception, _internal)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return the problem response of a plain HTTP error, with the error's own headers (Allow, Retry-After …)."""
        if error.code is None or error.code < 400:
            return Response(response=error.get_response().data, status=error.code)
        headers = {
            name: value for name, value in error.get_headers() if name.lower() not in ("content-type", "content-length")
        }
        code = code_for_status(error.code)
        detail = _DETAILS.get(error.code) or error.description
        return Problem(error.code, code, detail, title=error.name, headers=headers).response()

    def _register_responses(self) -> None:
        """Document error responses as ``application/problem+json``."""
        super()._register_responses()
        for response in self.spec.components.responses_lazy.values():
            content = response.get("content")
            if content and "application/json" in content:
                content[MEDIA_TYPE] = content.pop("application/json")


def _internal(error: Exception) -> Response:
    """Return 500 for an unexpected exception: its text goes to the log, under the request id, not to the caller."""
    # With a body, a RecursionError comes from its nesting, which is the caller's error.
    if isinstance(error, RecursionError) and request.content_length:
        return Problem(400, "bad-json", "Something in the body is nested too deeply.").response()
    log.exception("unexpected error in request %s", request_id())
    return Problem(500, "internal").response()


def freeze(api: GatewayApi) -> bytes:
    """Render the OpenAPI document and store it in the application; called once, after all routes are registered."""
    described = api.spec.to_dict()
    add_links(described)
    document = orjson.dumps(described)
    api.app.extensions[DOCUMENT] = document
    return document
