"""Complete the operations of views that plugins add to their blueprints themselves, by flask-smorest's decorators.

A declared route documents the problems and headers that the gateway may answer it with; these views know nothing of
them. flask-smorest refers to responses of its own for what its decorators answer, which this document does not have.
"""

from __future__ import annotations

from typing import Any

from omni_gateway.http.openapi import problems
from omni_gateway.http.openapi.headers import ALWAYS
from omni_gateway.http.openapi.operations import operations_of

_WITH_ID, _WITH_BODY, _OF_THE_GUARD = (404,), (413, 415), (401, 403)


def complete_own_views(document: dict[str, Any]) -> None:
    """Add the problems and headers that every answer may have; called when the access of operations is known."""
    for path, item in document["paths"].items():
        for _, operation in operations_of(item):
            # Every declared route documents a 500.
            if "500" not in operation.setdefault("responses", {}):
                _complete(operation, path)


def _complete(operation: dict[str, Any], path: str) -> None:
    statuses = {
        *(status for status in problems.COMMON if operation.get("security") != [] or status not in _OF_THE_GUARD),
        *(_WITH_ID if "{" in path else ()),
        *(_WITH_BODY if "requestBody" in operation else ()),
    }
    responses = {status: answer for status, answer in operation["responses"].items() if not _is_flask_smorests(answer)}
    for answer in responses.values():
        if "$ref" not in answer:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in ALWAYS} | answer.get(
                "headers", {}
            )
    documented = {str(status): problems.reference(status) for status in statuses}
    operation["responses"] = dict(sorted({**documented, **responses}.items()))


def _is_flask_smorests(answer: dict[str, Any]) -> bool:
    """Return True for a reference to a response of flask-smorest's own, named as ``http.HTTPStatus`` names them."""
    return str(answer.get("$ref", "")).removeprefix("#/components/responses/").isupper()
