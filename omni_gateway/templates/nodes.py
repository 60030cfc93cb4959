"""The parts of a template before their fields are known: scalars, lists and mappings, with their lines.

Types of plain scalars are resolved as omnictl's YAML library does: ``yes`` and ``1:30`` are texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml

from omni_gateway.http.yaml_body import MAX_DEPTH, PLAIN
from omni_gateway.plain_scalar import PlainScalar

_TAG = "tag:yaml.org,2002:"
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_BASES = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TIME = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:[Tt ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})(?P<fraction>\.[0-9]{1,9})?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
#: Characters of a number that is converted at all.
_LONGEST_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a list of nodes, or a mapping to nodes.

    A scalar that is no text is a :class:`PlainScalar`, for a text field takes its source. ``line`` counts from one;
    None in the JSON form. ``error`` says why the node has no value.
    """

    value: str | PlainScalar | list[Node] | dict[str, Node] | None
    line: int | None = None
    error: str = ""
    #: Keys that are there twice, with the line of the second one.
    repeated: tuple[tuple[str, int | None], ...] = field(default=(), compare=False)

    @property
    def is_null(self) -> bool:
        """True for null, and for a value that was left out."""
        return isinstance(self.value, PlainScalar) and self.value.value is None


class BadValue(ValueError):
    """A value is not what its place takes; the text says what that is."""


def plain_values(node: Node) -> Any:
    """Return a node as JSON's values; raise :class:`BadValue` for one that has none."""
    if node.error or node.repeated:
        raise BadValue(
            node.error or f"The key {node.repeated[0][0]!r} is there twice, again in line {node.repeated[0][1]}."
        )
    if isinstance(node.value, dict):
        return {key: plain_values(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [plain_values(item) for item in node.value]
    return node.value.value if isinstance(node.value, PlainScalar) else node.value


def of_json(value: Any, depth: int = 1) -> Node:
    """Return the node of a value from JSON."""
    if depth > MAX_DEPTH:
        return Node(None, error=f"Nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, Mapping):
        if any(_has_surrogate(str(key)) for key in value):
            return Node(None, error="A key must not hold a lone surrogate.")
        return Node({str(key): of_json(item, depth + 1) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return Node([of_json(item, depth + 1) for item in value])
    if isinstance(value, str):
        return Node(None, error="Must not hold a lone surrogate.") if _has_surrogate(value) else Node(value)
    return Node(PlainScalar(value, _json_text(value)))


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _json_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def of_yaml(node: yaml.Node) -> Node:
    """Return the node of a YAML node from :func:`omni_gateway.http.yaml_body.yaml_nodes`."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, line)
    if isinstance(node, yaml.SequenceNode):
        return Node([of_yaml(item) for item in node.value], line)
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, line)


def _mapping(node: yaml.MappingNode, line: int) -> Node:
    found: dict[str, Node] = {}
    merged: list[Node] = []
    repeated = []
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            return Node(None, line, "A key is no text.")
        key = key_node.value
        if key == "<<" and key_node.tag == PLAIN:
            merged.extend(_merged(of_yaml(value_node)))
        elif key in found:
            repeated.append((key, key_line))
        else:
            value = of_yaml(value_node)
            found[key] = Node(value.value, key_line, value.error, value.repeated)
    for source in merged:
        if not isinstance(source.value, dict):
            return Node(None, source.line, "A merge key takes a mapping or a list of mappings.")
        found = {**source.value, **found}
    return Node(found, line, repeated=tuple(repeated))


def _merged(node: Node) -> Iterable[Node]:
    """Return the sources of a merge key, the one of the lowest precedence last."""
    return node.value if isinstance(node.value, list) else [node]


def _scalar(node: yaml.ScalarNode, line: int) -> Node:
    text: str = node.value
    tag = node.tag.removeprefix(_TAG)
    if tag == "str" or (node.tag == "!" and node.style):
        return Node(text, line)
    if node.tag == PLAIN:
        return Node(resolve(text), line)
    value = resolve(text)
    kind = "str" if isinstance(value, str) else type(value.value).__name__
    if kind == {"null": "NoneType"}.get(tag, tag) or (tag, kind) == ("float", "int"):
        return Node(value, line)
    return Node(None, line, f"The tag {node.tag!r} is not taken here.")


def resolve(text: str) -> str | PlainScalar:
    """Return the value of a plain scalar."""
    if text in _WORDS:
        return PlainScalar(_WORDS[text], text)
    if len(text) > _LONGEST_NUMBER or not (text[0] in "+-." or text[0].isdigit()):
        return text
    if _NOT_FINITE.fullmatch(text):
        return PlainScalar(float(text.lower().replace(".", "", 1)), text)
    if time := _time(text):
        return time
    plain = text.replace("_", "") if text[0] != "." else text
    if integer := _INTEGER.fullmatch(plain):
        digits, base = next((part, base) for part, base in zip(integer.groups()[1:], _BASES, strict=True) if part)
        number = int(integer[1] + digits, base)
        if plain == "-0":
            return PlainScalar(-0.0, text)
        if -(2**63) <= number < 2**64:
            return PlainScalar(number, text)
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        return PlainScalar(value, text) if math.isfinite(value) else text
    return text


def _time(text: str) -> PlainScalar | None:
    """Return a date or a time of a plain scalar, with its value as RFC 3339 text; None if it is neither."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    numbers = [int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    try:
        time = datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return None
    fraction = (match["fraction"] or "").rstrip("0").rstrip(".")
    zone = match["zone"] or "Z"
    return PlainScalar(f"{time:%Y-%m-%dT%H:%M:%S}{fraction}{zone}", text)
