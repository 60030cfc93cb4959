"""flask-smorest's Api with the gateway's problems, schema names, and an OpenAPI document that is rendered once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import marshmallow as ma
import orjson
from flask import Flask, Response, request
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException

from omni_gateway.http.concealment import concealed
from omni_gateway.http.documented_paths import DocumentedPaths
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.openapi import dry_run, headers, parameters, problems, security
from omni_gateway.http.openapi.converter import GatewayMarshmallowPlugin
from omni_gateway.http.openapi.events import add_events
from omni_gateway.http.openapi.examples import add_examples
from omni_gateway.http.openapi.items import resolve_items
from omni_gateway.http.openapi.links import add_links
from omni_gateway.http.openapi.own_views import complete_own_views
from omni_gateway.http.openapi.schema_names import SchemaNames
from omni_gateway.http.openapi.shapes import split_shapes
from omni_gateway.http.openapi.tags import Tag, arrange, remove_unused_tags
from omni_gateway.http.paths import request_path
from omni_gateway.http.problems import Problem, ProblemSchema, code_for_status
from omni_gateway.http.store_errors import problem_for_store
from omni_gateway.http.unexpected_errors import unexpected_problems
from omni_gateway.omni.errors import OmniError
from omni_gateway.redaction.credentials import masked
from omni_gateway.store import StoreRefused, StoreUnavailable

_DETAILS = {
    404: "There is nothing at this URL; `/api/v1` lists the resources and `/openapi.json` every route.",
    405: "This URL does not take this method; the Allow header names those it takes.",
    413: "The body is larger than this gateway takes.",
}

DOCUMENT = "omni_gateway_openapi"
_PATHS = "omni_gateway_documented_paths"


class GatewayApi(Api):  # type: ignore[misc]
    """The API of one application."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self.schema_names = names = SchemaNames()
        self.tags: dict[str, Tag] = {}
        super().__init__(app, spec_kwargs={"marshmallow_plugin": GatewayMarshmallowPlugin(schema_name_resolver=names)})
        self.spec.components.security_scheme(security.NAME, dict(security.BEARER))
        self.spec.components.schema("DryRun", schema=dry_run.DryRunSchema)
        self.spec.components.schema("Pagination", headers.PAGINATION)
        for name, header in headers.HEADERS.items():
            self.spec.components.header(name, header, lazy=True)
        for name, parameter in parameters.HEADERS.items():
            self.spec.components.parameter(name, "header", parameter, lazy=True)
        self.document_responses(problems.components())

    def document_responses(self, responses: Mapping[str, Any]) -> None:
        """Add responses to the document that operations refer to by their names."""
        for name, response in responses.items():
            self.spec.components.response(name, response)

    @property
    def app(self) -> Flask:
        """Return the application."""
        return cast(Flask, self._app)

    def register_blueprint(self, blp: Blueprint, **options: Any) -> None:
        """Register a blueprint and note its tag."""
        super().register_blueprint(blp, **options)
        self.tags[options.get("name", blp.name)] = getattr(blp, "tag", Tag())

    def _register_doc_blueprint(self) -> None:
        """Register no routes: :mod:`omni_gateway.http.document` serves the bytes that :func:`freeze` renders."""

    def _register_error_handlers(self) -> None:
        self._app.register_error_handler(Problem, _answer_problem)
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
        if code == "internal":
            return _internal(error)
        if error.code == 404 and request.url_rule is None:
            return self._nothing_here(headers)
        detail = _DETAILS.get(error.code) or error.description
        return Problem(error.code, code, detail, title=error.name, headers=headers).response()

    def _nothing_here(self, headers: Mapping[str, str]) -> Response:
        """Return the 404 for a URL without a route: with the nearest documented one, or the names there are."""
        paths: DocumentedPaths = self._app.extensions[_PATHS]
        path = request_path()
        detail, hint = _DETAILS[404], None
        if nearest := paths.nearest(path):
            detail = f"There is nothing at this URL; did you mean {masked(nearest)}?"
        else:
            beginning, names = paths.names_below(path)
            hint = f"Below {masked(beginning)}: {', '.join(names)}." if names else None
        return Problem(404, "not-found", detail, hint=hint, headers=headers).response()

    def _register_pagination_header(self) -> None:
        """Register none of flask-smorest's: :mod:`omni_gateway.http.openapi.headers` has the gateway's own."""

    def _register_responses(self) -> None:
        """Register none of flask-smorest's: :mod:`omni_gateway.http.openapi.problems` has the gateway's own."""


def _internal(error: Exception) -> Response:
    """Return the problem of an unexpected exception."""
    # With a body, a RecursionError comes from its nesting, which is the caller's error.
    if isinstance(error, RecursionError) and request.content_length:
        return Problem(400, "bad-json", "Something in the body is nested too deeply.").response()
    return unexpected_problems()(error).response()


def _answer_problem(error: Problem) -> Response:
    return _internal(error) if error.code == "internal" else concealed(error).response()


def freeze(api: GatewayApi) -> bytes:
    """Render the OpenAPI document and store it in the application; called once, after all routes are registered.

    Raises :class:`SchemaNameTaken` if a schema has the name of a schema that the document makes of another one.
    """
    described = api.spec.to_dict()
    resolve_items(described)
    dry_run.add_dry_runs(described)
    split_shapes(described)
    add_links(described)
    add_events(described)
    add_examples(described, api.tags)
    parameters.describe_paths(described, api.tags)
    parameters.share(described)
    security.add_access(described, api.app)
    complete_own_views(described, api.app)
    remove_unused_tags(described)
    arrange(described, api.tags)
    document = orjson.dumps(described)
    api.app.extensions[DOCUMENT] = document
    api.app.extensions[_PATHS] = DocumentedPaths(described["paths"])
    return document
