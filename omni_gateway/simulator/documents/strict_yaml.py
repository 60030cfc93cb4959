"""Strict decoding of YAML: which values Omni's YAML library takes for a field of a given type.

PyYAML resolves plain scalars by YAML 1.1; Omni's library by YAML 1.2 with a few words of 1.1 for booleans, and it takes
a value only for a type that it fits: ``"true"`` in quotes is no boolean, ``12`` is a string where the field is one.

A type is a word: a scalar's (:data:`omni_gateway.simulator.documents.text_values.SCALARS`), ``any``, ``one|two`` for an
enumeration, ``[]`` or ``{}`` before the type of a list's items or of a mapping's values, or the name of a record,
whose fields a :data:`Records` table holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from omni_gateway.simulator.documents import text_values
from omni_gateway.simulator.documents.text_values import Scalar

Records = Mapping[str, Mapping[str, str]]
"""The fields of each record, with their types."""

_TAG = "tag:yaml.org,2002:"
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_NULLS = ("", "~", "null", "Null", "NULL")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9]\d*))"
)
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_TIMESTAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d{2}:\d{2})?)?")
_SPECIAL_FLOATS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_RESOLVER = yaml.resolver.Resolver()
_LARGEST = 2**64


class Problem(NamedTuple):
    """A problem of a document: the node, the path to it, and the reason."""

    node: yaml.Node
    path: str
    text: str

    def __str__(self) -> str:
        """Return path and reason as one phrase."""
        return f"{self.path or 'the document'} {self.text}"


def resolve(node: yaml.ScalarNode) -> Scalar:
    """Return a scalar's value as Omni's YAML library reads it; the text itself is a value of every type."""
    text = str(node.value)
    implied = implied_tag(text)
    if node.tag == _TAG + "binary" or (node.tag == _TAG + "str" and (node.style or implied != node.tag)):
        return Scalar("string", text, text)
    if text in _NULLS:
        return Scalar("null", text, None)
    if text in _BOOLEANS:
        return Scalar("boolean", text, _BOOLEANS[text])
    if (number := _number(text)) is not None:
        return Scalar("number", text, number)
    return Scalar("timestamp" if _TIMESTAMP.fullmatch(text) else "string", text, text)


def implied_tag(text: str) -> str:
    """Return the tag that PyYAML gives a plain scalar; a tag that was written out differs from it."""
    return str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]


def check(node: yaml.Node, type_: str, records: Records, path: str = "") -> Iterator[Problem]:
    """Yield every place where a document does not fit a type: wrong values, unknown keys, keys that come twice."""
    if is_null(node):
        return
    if type_.startswith("[]"):
        yield from _list(node, type_[2:], records, path)
    elif type_.startswith("{}"):
        yield from _mapping(node, type_[2:], records, path)
    elif type_ == "any":
        yield from _anything(node, path)
    elif type_ in records:
        yield from _record(node, records[type_], records, path)
    elif type_ == "argument":
        is_list = isinstance(node, yaml.SequenceNode)
        yield from check(node, "[]string" if is_list else "string", records, path)
    elif not isinstance(node, yaml.ScalarNode):
        yield Problem(node, path, f"takes a single value, not {_what(node)}")
    elif (why := text_values.problem(type_, resolve(node))) is not None:
        yield Problem(node, path, why)


def is_null(node: yaml.Node) -> bool:
    """Return whether a node is a null, which fits every type."""
    return isinstance(node, yaml.ScalarNode) and resolve(node).kind == "null"


def child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """Return the value of a mapping's key; None where there is none."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def text_of(node: yaml.Node | None) -> str:
    """Return a scalar's text; empty for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _number(text: str) -> int | float | None:
    if _SPECIAL_FLOATS.fullmatch(text):
        return math.inf
    plain = text.replace("_", "") if text[:1] in "+-.0123456789" else ""
    found = _INTEGER.fullmatch(plain)
    if found:
        digits, base = next((found[name], base) for name, base in _BASES.items() if found[name])
        number = int(found["sign"] + digits, base)
        return number if -_LARGEST // 2 <= number < _LARGEST else float(number)
    return float(plain) if _FLOAT.fullmatch(plain) else None


def _list(node: yaml.Node, of: str, records: Records, path: str) -> Iterator[Problem]:
    if not isinstance(node, yaml.SequenceNode):
        yield Problem(node, path, f"takes a list, not {_what(node)}")
        return
    for position, item in enumerate(node.value):
        yield from check(item, of, records, f"{path}[{position}]")


def _mapping(node: yaml.Node, of: str, records: Records, path: str) -> Iterator[Problem]:
    if not isinstance(node, yaml.MappingNode):
        yield Problem(node, path, f"takes a mapping, not {_what(node)}")
        return
    yield from _keys(node, path)
    for key, value in node.value:
        yield from check(value, of, records, _join(path, key))


def _record(node: yaml.Node, fields: Mapping[str, str], records: Records, path: str) -> Iterator[Problem]:
    if not isinstance(node, yaml.MappingNode):
        yield Problem(node, path, f"takes a mapping, not {_what(node)}")
        return
    yield from _keys(node, path)
    for key, value in node.value:
        type_ = fields.get(text_of(key))
        if type_ is None:
            yield Problem(key, _join(path, key), "is an unknown key")
        else:
            yield from check(value, type_, records, _join(path, key))


def _anything(node: yaml.Node, path: str) -> Iterator[Problem]:
    if isinstance(node, yaml.MappingNode):
        yield from _keys(node, path)
        for key, value in node.value:
            yield from _anything(value, _join(path, key))
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _anything(item, f"{path}[{position}]")


def _keys(node: yaml.MappingNode, path: str) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(key, path, "has a key that is not a single value")
        elif key.value in lines:
            yield Problem(key, _join(path, key), f"is defined twice, first at line {lines[key.value]}")
        else:
            lines[key.value] = key.start_mark.line + 1


def _what(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"the {resolve(node).kind} {node.value[:40]!r}"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def _join(path: str, key: Any) -> str:
    name = text_of(key) or "?"
    return f"{path}.{name}" if path else name
