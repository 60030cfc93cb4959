"""Parts of the OpenAPI document: the operations of a role or of a tag, and the components that these refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.http.openapi.operations import METHODS

_COMPONENTS = "#/components/"
#: Referred to by name, in `security`, not by `$ref`.
_ALWAYS_KEPT = "securitySchemes"


def subset(document: dict[str, Any], *, role: Role | None = None, tag: str | None = None) -> dict[str, Any]:
    """Return a document with those operations of ``document`` that ``role`` may call and that have ``tag``.

    None: any. Links to other operations, and tags and components that nothing refers to any more, are left out. Parts
    are shared with ``document``, whose operations lose these links: it is not to be used afterwards.
    """

    def wanted(operation: Mapping[str, Any]) -> bool:
        # Where a plugin does not document the role that an operation needs, all roles see it.
        required = operation.get("x-required-role")
        allowed = role is None or required is None or Role(required) <= role
        return allowed and (tag is None or tag in operation.get("tags", ()))

    paths: dict[str, dict[str, Any]] = {}
    kept: list[dict[str, Any]] = []
    for path, item in document["paths"].items():
        operations = {name: part for name, part in item.items() if name in METHODS and wanted(part)}
        if operations:
            paths[path] = {name: part for name, part in item.items() if name not in METHODS} | operations
            kept += operations.values()
    names = {operation.get("operationId") for operation in kept}
    shared = document.get("components", {}).get("responses", {})
    for responses in (shared, *(operation["responses"] for operation in kept)):
        _drop_links(responses, names)
    reduced = {**document, "paths": paths, "components": {}}
    reduced["components"] = _referenced(reduced, document.get("components", {}))
    _drop_tags(reduced, {name for operation in kept for name in operation.get("tags", ())})
    return reduced


def _drop_links(responses: Mapping[str, dict[str, Any]], operations: set[str | None]) -> None:
    """Remove the links of ``responses`` to operations that are not among ``operations``."""
    for response in responses.values():
        links = response.pop("links", {})
        if kept := {name: link for name, link in links.items() if link.get("operationId") in operations}:
            response["links"] = kept


def _referenced(node: Any, components: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the components that ``node`` refers to, by way of others too, in their order in ``components``."""
    found: set[tuple[str, str]] = set()
    waiting = list(_references(node))
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(_references(components[key[0]][key[1]]))
    kept = {
        section: {name: part for name, part in parts.items() if section == _ALWAYS_KEPT or (section, name) in found}
        for section, parts in components.items()
    }
    return {section: parts for section, parts in kept.items() if parts}


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """Return section and name of each component that is referred to, by ``$ref`` or a discriminator's mapping."""
    for part in _mappings(node):
        for value in part.values():
            if isinstance(value, str) and value.startswith(_COMPONENTS):
                section, _, name = value.removeprefix(_COMPONENTS).partition("/")
                yield section, name.split("/")[0].replace("~1", "/").replace("~0", "~")


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    """Return all mappings in a JSON value."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _drop_tags(document: dict[str, Any], used: set[str]) -> None:
    if "tags" in document:
        document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    if "x-tagGroups" in document:
        groups = [{**group, "tags": [tag for tag in group["tags"] if tag in used]} for group in document["x-tagGroups"]]
        document["x-tagGroups"] = [group for group in groups if group["tags"]]
