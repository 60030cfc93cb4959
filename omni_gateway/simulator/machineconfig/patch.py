"""The check of config patches: documents must decode strictly, and fields that Omni owns are refused."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from omni_gateway.simulator.documents import safe_yaml, strict_yaml
from omni_gateway.simulator.documents.strict_yaml import child, text_of
from omni_gateway.simulator.errors import InvalidArgument
from omni_gateway.simulator.machineconfig.schema import (
    FORBIDDEN_FIELDS,
    FORBIDDEN_ITEMS,
    FORBIDDEN_KINDS,
    LEGACY,
    document_kinds,
    records,
)

_MAX_PROBLEMS = 20
_LEGACY_KEYS = ("machine", "cluster", "debug", "persist")
"""Any of these keys makes a document without an apiVersion the legacy one; ``version`` does not."""
_PAIR = "VethConfig"
"""The kind of document that configures two links."""
_EMPTY_KEYS = frozenset(["version", "kind", "name"])
"""A document that has single values under these keys only is skipped, as one that holds nothing but deletions is."""


def check_patch(text: str) -> None:
    """Check the text of a config patch; :class:`InvalidArgument` names document, line and key of each problem.

    JSON is YAML too. A patch must be one or more mappings: an RFC 6902 list of operations is refused.
    """
    found = safe_yaml.documents(text)
    if not found:
        raise InvalidArgument("the config patch is empty")
    problems = [problem for number, node in enumerate(found, 1) for problem in _document(number, node)]
    problems += _together(found)
    problems = problems or [problem for number, node in enumerate(found, 1) for problem in _forbidden(number, node)]
    if problems:
        raise InvalidArgument("the config patch is not valid: " + "; ".join(problems[:_MAX_PROBLEMS]))
    if all(_is_empty(node) and not _deletes(node) for node in found):
        raise InvalidArgument("the config patch holds no configuration")


def _document(number: int, node: yaml.Node) -> Iterator[str]:
    where = f"document {number}"
    if not isinstance(node, yaml.MappingNode):
        yield f"{where}: a patch is a mapping, not a list or a single value"
        return
    if (wrong := _wrong_deletion(node)) is not None:
        yield f"{where}: {wrong}"
        return
    rest = _without_deletions(node)
    if rest is None or _is_empty(rest):
        return
    kind, why = _kind(rest)
    if why:
        yield f"{where}, line {rest.start_mark.line + 1}: {why}"
        return
    for found in strict_yaml.check(rest, kind, records()):
        yield f"{where}, line {found.node.start_mark.line + 1}: {found}"


def _kind(node: yaml.MappingNode) -> tuple[str, str]:
    """Return the record that a document is to fit, or why there is none."""
    kind, version = text_of(child(node, "kind")), text_of(child(node, "apiVersion"))
    if not version and any(text_of(key) in _LEGACY_KEYS for key, _ in node.value):
        version = LEGACY
    if not kind and version == LEGACY:
        return LEGACY, ""
    if not kind:
        keys = ", ".join(repr(text_of(key)) for key, _ in node.value)
        return "", f"the kind is missing, and {keys} make no v1alpha1 document: that has {' or '.join(_LEGACY_KEYS)}"
    if not version:
        return "", "the apiVersion is missing"
    known = document_kinds().get(kind)
    if known is None or known.version != version:
        return "", f"there is no document of kind {kind!r} and apiVersion {version!r}"
    return kind, ""


def _together(found: list[yaml.Node]) -> Iterator[str]:
    """Yield documents that cannot stand beside each other: two of one kind and name, two kinds for one link."""
    seen: dict[tuple[str, str], int] = {}
    pairs: set[str] = set()
    for number, whole in enumerate(found, 1):
        node = _without_deletions(whole) if isinstance(whole, yaml.MappingNode) else None
        if node is None or _is_empty(node):
            continue
        kind = text_of(child(node, "kind")) or LEGACY
        known = document_kinds().get(kind)
        name = text_of(child(node, "name")) if known is None or known.named else ""
        if (kind, name) in seen:
            yield f"document {number}: {kind} {name}".rstrip() + f" comes twice, first as document {seen[kind, name]}"
        for other in known.conflicts if known else ():
            if (other, name) in seen:
                yield f"document {number}: {kind} {name} cannot stand beside {other} {name}"
        seen.setdefault((kind, name), number)
        if kind == _PAIR:
            for link in (name, text_of(_follow(node, "peer.name"))):
                if link in pairs or any((other, link) in seen for other in document_kinds()[_PAIR].conflicts):
                    yield f"document {number}: the link {link!r} is configured twice"
                pairs.add(link)


def _forbidden(number: int, node: yaml.Node) -> Iterator[str]:
    where, kind = f"document {number}", text_of(child(node, "kind")) or LEGACY
    if kind in FORBIDDEN_KINDS:
        yield f"{where}: documents of kind {kind} are Omni's own"
        return
    for path in FORBIDDEN_FIELDS.get(kind, ()):
        found = _follow(node, path)
        if found is not None:
            yield f"{where}, line {found.start_mark.line + 1}: {path} is set by Omni and cannot be patched"
    path, item = FORBIDDEN_ITEMS.get(kind, ("", ""))
    items = _follow(node, path) if path else None
    if isinstance(items, yaml.SequenceNode) and any(text_of(one) == item for one in items.value):
        yield f"{where}, line {items.start_mark.line + 1}: the role {item} cannot be given to workloads"


def _follow(node: yaml.Node | None, path: str) -> yaml.Node | None:
    for name in path.split("."):
        node = child(node, name)
    return node


# -- deletions: `$patch: delete` in a mapping removes the value at that place


def _is_deletion(node: yaml.Node) -> bool:
    marker = child(node, "$patch")
    return isinstance(marker, yaml.ScalarNode) and marker.value == "delete"


def _deletes(node: yaml.Node) -> bool:
    if isinstance(node, yaml.MappingNode):
        return _is_deletion(node) or any(_deletes(value) for _, value in node.value)
    return isinstance(node, yaml.SequenceNode) and any(_deletes(item) for item in node.value)


def _wrong_deletion(node: yaml.MappingNode) -> str | None:
    """Return the problem of a document's deletions, if there is one."""
    kind, version = child(node, "kind") is not None, child(node, "apiVersion") is not None
    if _is_deletion(node) and not (kind and version):
        return "a document is deleted by its kind and apiVersion, and the legacy one not at all"
    if _deletes(node) and kind is not version:
        return "a deletion needs both the kind and the apiVersion, or neither"
    return _deletion_in_list(node, in_list=False)


def _deletion_in_list(node: yaml.Node, in_list: bool) -> str | None:
    found = None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if in_list and isinstance(value, yaml.MappingNode) and _is_deletion(value):
                return f"line {key.start_mark.line + 1}: a list's item can be deleted, not a key within it"
            found = found or _deletion_in_list(value, in_list)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if _is_deletion(item) and len(item.value) == 1:
                return f"line {item.start_mark.line + 1}: the item to delete is named by a key and its value"
            found = found or _deletion_in_list(item, True)
    return found


def _without_deletions(node: yaml.MappingNode) -> yaml.MappingNode | None:
    """Return a document without the parts that it deletes; None when nothing is left."""
    left = _pruned(node)
    return left if isinstance(left, yaml.MappingNode) else None


def _pruned(node: yaml.Node) -> yaml.Node | None:
    if not _deletes(node):
        return node
    if isinstance(node, yaml.SequenceNode):
        items = [left for item in node.value if (left := _pruned(item)) is not None]
        return yaml.SequenceNode(node.tag, items, node.start_mark, node.end_mark) if items else None
    if _is_deletion(node):
        return None
    pairs = [(key, left) for key, value in node.value if (left := _pruned(value)) is not None]
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark) if pairs else None


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and all(
        isinstance(value, yaml.ScalarNode) and text_of(key) in _EMPTY_KEYS for key, value in node.value
    )
