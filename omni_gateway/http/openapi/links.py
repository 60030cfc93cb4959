"""OpenAPI links from a response to the operations that take its id."""

from __future__ import annotations

from typing import Any

_WRITES = ("get", "put", "patch", "delete")
_OF_PATH = {"id": "$request.path.id"}
_OF_BODY = {"id": "$response.body#/id"}


def add_links(document: dict[str, Any]) -> None:
    """Add links: from a created object to its reads and writes, from an object to its sub-resources."""
    paths: dict[str, Any] = document["paths"]
    for path, item in paths.items():
        one = paths.get(f"{path}/{{id}}", {}) if "{" not in path else {}
        if one and "post" in item:
            _link(item["post"], "201", {name: (one[name], _OF_BODY) for name in _WRITES if name in one})
        if path.endswith("/{id}") and path.count("{") == 1 and "get" in item:
            subresources = {
                name.removeprefix(f"{path}/").replace("/", "-"): (other["get"], _OF_PATH)
                for name, other in paths.items()
                if name.startswith(f"{path}/") and name.count("{") == 1 and "get" in other
            }
            _link(item["get"], "200", subresources)


def _link(operation: dict[str, Any], status: str, targets: dict[str, tuple[dict[str, Any], dict[str, str]]]) -> None:
    response = operation["responses"].get(status)
    if response is None:
        return
    # A view that a plugin adds to its blueprint itself has no operationId, unless the plugin documents one.
    links = {
        name: {"operationId": target["operationId"], "parameters": parameters}
        for name, (target, parameters) in targets.items()
        if "operationId" in target
    }
    if links:
        response["links"] = links
