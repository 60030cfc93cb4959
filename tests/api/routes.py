"""The routes of the OpenAPI document, and requests that any of them can be sent.

Tests that ask every route the same ask those only that no class of :mod:`tests.resources` reaches: its classes ask the
others, by the checks that plugins inherit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from omni_gateway.http.openapi.operations import operations_of
from omni_gateway.testing.checks.routes import further_routes_of
from omni_gateway.testing.subject import METHODS, path_of
from tests.resources.built_in import classes

Route = tuple[str, str, dict[str, Any]]
VARIABLES = {
    "id": "there-is-none",
    "kind": "cluster-create",
    "type": "Clusters",
    "node": "there-is-none",
    "number": "1",
}


def routes(document: dict[str, Any]) -> list[Route]:
    """Return method, path and operation of each route of a document."""
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in operations_of(item)
    ]


def of_the_kit(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route of a document that a conformance class asks."""
    for case in classes():
        yield from ((METHODS[verb].lower(), path_of(case.plugin, verb)) for verb in case.verbs())
        if "get" in case.verbs():  # as the checks of further routes need
            yield from ((route.method.lower(), route.path) for route in further_routes_of(case.plugin, document))


def beyond_the_kit(document: dict[str, Any]) -> list[Route]:
    """Return method, path and operation of each route of a document that no conformance class asks."""
    asked = set(of_the_kit(document))
    return [route for route in routes(document) if route[:2] not in asked]


def url(path: str) -> str:
    """Return the URL of a path of the document, about what is not there."""
    for name, value in VARIABLES.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def body(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a well-formed request: the document's own example."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if "json" in media:
            return {"data": json.dumps(content.get("example", {})), "content_type": media}
    return {}
