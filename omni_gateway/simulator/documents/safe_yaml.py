"""Reads untrusted YAML: bounded in length, in depth and in the size of its expanded aliases."""

from __future__ import annotations

import yaml

from omni_gateway.simulator.errors import InvalidArgument

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000
"""The most nodes of a document, with every alias expanded."""


def documents(text: str) -> list[yaml.Node]:
    """Return the documents of a text as nodes, empty ones left out; :class:`InvalidArgument`."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidArgument(f"the YAML is longer than {MAX_CHARACTERS} characters")
    try:
        _check_depth(text)
        found = [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if not is_null(node)]
        unfolded = sum(_size(node, {}) for node in found)
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        raise InvalidArgument(f"that is no YAML to work with: {exc}") from exc
    if unfolded > MAX_NODES:
        raise InvalidArgument("the YAML's aliases unfold to too much")
    return found


def is_null(node: yaml.Node | None) -> bool:
    """Return whether a node is null."""
    return node is None or node.tag == "tag:yaml.org,2002:null"


def _check_depth(text: str) -> None:
    """Refuse text that is nested too deeply before it is composed: the composer would overflow the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1  # an alias to a node around it expands without end
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = list(node.value)
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
