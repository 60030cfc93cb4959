"""marshmallow's nested messages as flat paths: ``{"labels.a/b": [...], "workers.0.size": [...]}``.

The schema tells what the messages alone cannot: which names there are beside an unknown one, and whether ``value``
is a field of that name or marshmallow's word for the values of a map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from omni_gateway.http.suggestions import did_you_mean

#: Stands for the whole body where no field is to blame.
WHOLE = "_"
#: More than anybody reads of one request; a body of the largest size could have a million.
MOST_FIELDS = 100
#: Characters of a path: the caller's own names are in it.
LONGEST_PATH = 1024
UNKNOWN = "Unknown field."

_Node = ma.Schema | fields.Field[Any] | None


def flatten(
    messages: Any, *, schema: ma.Schema | None = None, known: Iterable[str] = (), prefix: str = ""
) -> dict[str, list[str]]:
    """Return path → messages, for the first hundred paths; an unknown field is told its nearest neighbour.

    ``known`` names the top level's fields where there is no ``schema`` to ask. A longer path is cut.
    """
    flat: dict[str, list[str]] = {}
    names = tuple(known) or _names(schema)
    for path, text in _walk(messages, schema, names, prefix):
        flat.setdefault(path[:LONGEST_PATH] or WHOLE, []).append(text)
        if len(flat) == MOST_FIELDS:
            break
    return flat


def _walk(messages: Any, node: _Node, names: tuple[str, ...], path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(messages, Mapping):
        yield from ((path, str(text)) for text in (messages if isinstance(messages, list) else [messages]))
        return
    for key, inner in messages.items():
        below = path if _is_no_name(key, inner, node, path) else f"{path}.{key}" if path else str(key)
        if inner == [UNKNOWN]:
            yield below, f"Unknown field{did_you_mean(str(key), names)}"
        else:
            child = _child(node, key)
            yield from _walk(inner, child, _names(child), below)


def _is_no_name(key: Any, inner: Any, node: _Node, path: str) -> bool:
    """Whether a key is marshmallow's own and no part of the caller's document."""
    if key == "_schema":
        return True
    if isinstance(node, _Entry):
        return key in ("key", "value")
    return node is None and key == "value" and bool(path) and isinstance(inner, list)


class _Entry(fields.Field[Any]):
    """One entry of a map, whose messages stand under ``key`` and ``value``."""

    def __init__(self, mapping: fields.Mapping[Any]) -> None:
        super().__init__()
        self.key_field = mapping.key_field
        self.value_field = mapping.value_field


def _child(node: _Node, key: Any) -> _Node:
    """Return what the schema holds under a key of the messages."""
    if isinstance(node, fields.Nested):
        # many=True: the messages have positions first, which lead to the same schema
        node = node.schema
    if isinstance(node, ma.Schema):
        if isinstance(key, int):
            return node
        return next((field for name, field in node.load_fields.items() if (field.data_key or name) == key), None)
    if isinstance(node, fields.List):
        return node.inner
    if isinstance(node, fields.Mapping):
        return _Entry(node)
    if isinstance(node, _Entry):
        return cast(_Node, node.value_field if key == "value" else node.key_field)
    return None


def _names(node: _Node) -> tuple[str, ...]:
    if isinstance(node, fields.Nested):
        node = node.schema
    if not isinstance(node, ma.Schema):
        return ()
    return tuple(field.data_key or name for name, field in node.load_fields.items())
