"""Complete the operations of views that plugins add to their blueprints themselves, by flask-smorest's decorators.

A declared route documents the problems and headers that the gateway may answer it with; these views know nothing of
them. flask-smorest refers to responses of its own for what its decorators answer, which this document does not have.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_smorest.spec.plugins import FlaskPlugin

from omni_gateway.http.idempotency import REPLAYED, supports_key
from omni_gateway.http.openapi import problems
from omni_gateway.http.openapi.headers import ALWAYS
from omni_gateway.http.openapi.operations import operations_of

_WITH_ID, _WITH_BODY, _WITH_KEY, _OF_THE_GUARD = (404,), (413, 415), (409, 422), (401, 403)
_KEY = {"$ref": "#/components/parameters/IdempotencyKeyParameter"}


def complete_own_views(document: dict[str, Any], app: Flask) -> None:
    """Add the problems and headers that every answer may have; called when the access of operations is known."""
    idempotent = {
        FlaskPlugin.flaskpath2openapi(rule.rule)
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and supports_key(app, rule.endpoint)
    }
    for path, item in document["paths"].items():
        for method, operation in operations_of(item):
            # Every declared route documents a 500.
            if "500" not in operation.setdefault("responses", {}):
                _complete(operation, path, takes_key=method == "post" and path in idempotent)


def _complete(operation: dict[str, Any], path: str, *, takes_key: bool) -> None:
    if takes_key:
        operation["parameters"] = [*operation.get("parameters", ()), _KEY]
    statuses = {
        *(status for status in problems.COMMON if operation.get("security") != [] or status not in _OF_THE_GUARD),
        *(_WITH_ID if "{" in path else ()),
        *(_WITH_BODY if "requestBody" in operation else ()),
        *(_WITH_KEY if takes_key else ()),
    }
    responses = {status: answer for status, answer in operation["responses"].items() if not _is_flask_smorests(answer)}
    names = (*ALWAYS, REPLAYED) if takes_key else ALWAYS
    for answer in responses.values():
        if "$ref" not in answer:
            common = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
            answer["headers"] = common | answer.get("headers", {})
    documented = {str(status): problems.reference(status) for status in statuses}
    operation["responses"] = dict(sorted({**documented, **responses}.items()))


def _is_flask_smorests(answer: dict[str, Any]) -> bool:
    """Return True for a reference to a response of flask-smorest's own, named as ``http.HTTPStatus`` names them."""
    return str(answer.get("$ref", "")).removeprefix("#/components/responses/").isupper()
