"""What a config patch may say: YAML documents with known keys, and nothing that Omni keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from . import safe_yaml
from .errors import InvalidArgument
from .machineconfig_schema import ANY, DOCUMENT_KINDS, FORBIDDEN_FIELDS, FORBIDDEN_KINDS, LIST, SCALAR, V1ALPHA1

_MAX_PROBLEMS = 20


def check_patch(text: str) -> None:
    """Check the text of a config patch; :class:`InvalidArgument` names document, line and key of each problem.

    JSON is YAML too. A patch must be one or more mappings: an RFC 6902 list of operations is refused.
    """
    found = safe_yaml.documents(text)
    if not found:
        raise InvalidArgument("the config patch is empty")
    problems = [problem for number, node in enumerate(found, 1) for problem in _document(number, node)]
    kindless = [
        number for number, node in enumerate(found, 1) if isinstance(node, yaml.MappingNode) and _kindless(node)
    ]
    problems += [f"document {number}: a second v1alpha1 document is not allowed" for number in kindless[1:]]
    if problems:
        raise InvalidArgument("the config patch is not valid: " + "; ".join(problems[:_MAX_PROBLEMS]))


def _document(number: int, node: yaml.Node) -> Iterator[str]:
    where = f"document {number}"
    if not isinstance(node, yaml.MappingNode):
        yield f"{where}: a patch is a mapping, not a list or a single value"
        return
    if not _kindless(node):
        yield from _other_document(where, node)
        return
    yield from _walk(where, node, V1ALPHA1, "")
    yield from _forbidden(where, node)


def _kindless(node: yaml.MappingNode) -> bool:
    return _child(node, "kind") is None and _child(node, "apiVersion") is None


def _other_document(where: str, node: yaml.MappingNode) -> Iterator[str]:
    kind = _child(node, "kind")
    name = str(kind.value) if isinstance(kind, yaml.ScalarNode) else ""
    if name in FORBIDDEN_KINDS:
        yield f"{where}: documents of kind {name} are Omni's own"
    elif name not in DOCUMENT_KINDS:
        yield f"{where}: there is no document of kind {name!r}"


def _walk(where: str, node: yaml.Node, schema: Any, path: str) -> Iterator[str]:
    """Yield what does not fit the schema; nulls and delete markers fit everywhere."""
    if schema == ANY or safe_yaml.is_null(node) or _is_delete_marker(node):
        return
    if isinstance(schema, dict):
        yield from _mapping(where, node, schema, path)
    elif isinstance(schema, list) or schema == LIST:
        yield from _sequence(where, node, schema, path)
    elif schema == SCALAR and not isinstance(node, yaml.ScalarNode):
        yield f"{_at(where, node)}: {path} takes a single value"


def _mapping(where: str, node: yaml.Node, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        yield f"{_at(where, node)}: {path} takes a mapping"
        return
    for key, value in node.value:
        name = str(key.value)
        below = schema.get(name, schema.get("*"))
        if below is None:
            yield f"{_at(where, key)}: unknown key {_join(path, name)!r}"
        else:
            yield from _walk(where, value, below, _join(path, name))


def _sequence(where: str, node: yaml.Node, schema: Any, path: str) -> Iterator[str]:
    if not isinstance(node, yaml.SequenceNode):
        yield f"{_at(where, node)}: {path} takes a list"
        return
    for position, item in enumerate(node.value):
        below = schema[0] if isinstance(schema, list) else SCALAR
        yield from _walk(where, item, below, f"{path}[{position}]")


def _forbidden(where: str, node: yaml.MappingNode) -> Iterator[str]:
    for path in FORBIDDEN_FIELDS:
        found = _follow(node, path)
        if found is not None and not safe_yaml.is_null(found):
            yield f"{_at(where, found)}: {path} is set by Omni and cannot be patched"
    roles = _follow(node, "machine.features.kubernetesTalosAPIAccess.allowedRoles")
    if isinstance(roles, yaml.SequenceNode) and any(str(item.value) == "os:admin" for item in roles.value):
        yield f"{_at(where, roles)}: the role os:admin cannot be given to workloads"


def _follow(node: yaml.Node, path: str) -> yaml.Node | None:
    found: yaml.Node | None = node
    for name in path.split("."):
        found = _child(found, name) if isinstance(found, yaml.MappingNode) else None
    return found


def _child(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _is_delete_marker(node: yaml.Node) -> bool:
    marker = _child(node, "$patch") if isinstance(node, yaml.MappingNode) else None
    return marker is not None and marker.value == "delete"


def _at(where: str, node: yaml.Node) -> str:
    return f"{where}, line {node.start_mark.line + 1}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
