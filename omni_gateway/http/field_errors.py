"""marshmallow's nested messages as flat paths: ``{"labels.a/b": [...], "workers.0.size": [...]}``.

The schema is needed beside the messages: it has the known names to suggest for an unknown one, and it decides whether
``value`` is a field of that name or marshmallow's key for the values of a map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from omni_gateway.http.suggestions import did_you_mean

#: The path of errors that concern the whole body.
WHOLE = "_"
#: Bounds the response: a body of the largest size could have a million wrong fields.
MOST_FIELDS = 100
#: Characters of a path: the caller's own names are in it.
LONGEST_PATH = 1024
UNKNOWN = "Unknown field."

_Node = ma.Schema | fields.Field[Any] | None


def flatten(
    messages: Any, *, schema: ma.Schema | None = None, known: Iterable[str] = (), prefix: str = ""
) -> dict[str, list[str]]:
    """Return path → messages, at most ``MOST_FIELDS`` paths; the message of an unknown field suggests a known name.

    ``known`` are the top level's fields, for callers without a ``schema``. Paths are cut at ``LONGEST_PATH``.
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
        inner_path = path
        if not _is_marshmallow_key(key, inner, node, path):
            inner_path = f"{path}.{key}" if path else str(key)
        if inner == [UNKNOWN]:
            yield inner_path, f"Unknown field{did_you_mean(str(key), names)}"
        else:
            child = _child(node, key)
            yield from _walk(inner, child, _names(child), inner_path)


def _is_marshmallow_key(key: Any, inner: Any, node: _Node, path: str) -> bool:
    """Return whether a key of the messages is marshmallow's own, and not one of the caller's document."""
    if key == "_schema":
        return True
    if isinstance(node, _Entry):
        return key in ("key", "value")
    return node is None and key == "value" and bool(path) and isinstance(inner, list)


class _Entry(fields.Field[Any]):
    """One entry of a map; marshmallow nests its messages under ``key`` and ``value``."""

    def __init__(self, mapping: fields.Mapping[Any]) -> None:
        super().__init__()
        self.key_field = mapping.key_field
        self.value_field = mapping.value_field


def _child(node: _Node, key: Any) -> _Node:
    """Return the schema or field that belongs to a key of the messages; None if there is none."""
    if isinstance(node, fields.Nested):
        # many=True: the messages have list indexes first; an index returns the same schema below
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
