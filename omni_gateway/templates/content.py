"""The text of inline content, as omnictl writes it: Omni compares patches byte by byte.

Four spaces of indentation, lists indented, no long lines folded, keys in an order in which ``a2`` precedes ``a10``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

import yaml
from yaml.emitter import ScalarAnalysis

from omni_gateway.templates.model import Inline
from omni_gateway.templates.nodes import resolve

_INDENT = 4
_NEVER_FOLDED = 1 << 30
_LONGEST_SIMPLE_KEY = 128
_TEXT = "tag:yaml.org,2002:str"
#: Words and numbers of YAML 1.1, quoted for readers that take them for booleans and for numbers to the base of 60.
_OLD_BOOLEAN = re.compile(r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
#: Digits before the point of a float that is written without an exponent.
_PLAIN_DIGITS = 6


def content_text(inline: Inline | None) -> str:
    """Return inline content as YAML; a text is YAML already."""
    if inline is None or isinstance(inline, str):
        return inline or ""
    documents = inline if isinstance(inline, list) else [inline]
    text: str = yaml.serialize_all(
        [_node(each) for each in documents], Dumper=_Dumper, indent=_INDENT, width=_NEVER_FOLDED, allow_unicode=True
    )
    return text


class _Dumper(yaml.Dumper):
    """An emitter with the indentation and the quotes of omnictl's YAML library."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent by the marker of a list within lists, else to the next multiple of the indentation."""
        self.indents.append(self.indent)
        if self.indent is None:
            self.indent = _INDENT if flow else 0
        elif self.states[-1] == self.expect_block_sequence_item:
            self.indent += 2
        else:
            self.indent = _INDENT * ((self.indent + _INDENT) // _INDENT)

    def analyze_scalar(self, scalar: str) -> ScalarAnalysis:
        """Allow tabs in blocks; put characters beyond 16 bits, which are escaped, in double quotes."""
        analysis = super().analyze_scalar(scalar.replace("\t", "x"))
        escaped = any(character > "\uffff" for character in scalar)
        if "\t" in scalar or escaped:
            analysis.allow_block_plain = analysis.allow_single_quoted = False
        if escaped:
            analysis.allow_block = False
        analysis.scalar = scalar
        return analysis

    def check_simple_key(self) -> bool:
        """Return True for a key that needs no question mark before it."""
        event = self.event
        assert isinstance(event, yaml.ScalarEvent)
        self.analysis = self.analyze_scalar(event.value)
        return not self.analysis.multiline and len(event.value.encode()) <= _LONGEST_SIMPLE_KEY

    def choose_scalar_style(self) -> str:
        """Return the quotes: those of the node, or stronger ones where they do not do."""
        event = self.event
        assert isinstance(event, yaml.ScalarEvent)
        if self.analysis is None:
            self.analysis = self.analyze_scalar(event.value)
        style = event.style or ""
        if self.simple_key_context and self.analysis.multiline:
            return '"'
        if not style and not self.analysis.allow_block_plain:
            style = "'"
        if style == "'" and not self.analysis.allow_single_quoted:
            return '"'
        if style == "|" and (not self.analysis.allow_block or self.simple_key_context):
            return '"'
        return style

    def determine_block_hints(self, text: str) -> str:
        """Return the hints of a block: its indentation only if it starts with a space."""
        hints: str = super().determine_block_hints(text)
        return hints if text.startswith(" ") else hints.lstrip("0123456789")


def _node(value: Any) -> yaml.Node:
    if isinstance(value, dict):
        keys = sorted(value, key=cmp_to_key(_compare))
        return yaml.MappingNode("tag:yaml.org,2002:map", [(_node(key), _node(value[key])) for key in keys])
    if isinstance(value, list):
        return yaml.SequenceNode("tag:yaml.org,2002:seq", [_node(item) for item in value])
    if isinstance(value, str):
        return yaml.ScalarNode(_TEXT, value, style=_style(value))
    return yaml.ScalarNode(_TEXT, _plain(value))


def _style(text: str) -> str | None:
    if "\n" in text:
        return "|" if text.strip() else '"'
    if not isinstance(resolve(text), str) or text == "<<" or _OLD_BOOLEAN.fullmatch(text) or _BASE_60.fullmatch(text):
        return '"'
    return None


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    point = len(digits) + int(exponent)
    if value and not -4 < point <= _PLAIN_DIGITS:
        text = "".join(map(str, digits))
        text = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
        return f"{'-' if sign else ''}{text}e{'-' if point < 1 else '+'}{abs(point - 1):02}"
    return f"{Decimal(repr(value)).normalize():f}"


def _compare(one: str, other: str) -> int:
    """Compare keys: numbers in them by value, letters after all other characters unless they follow a digit."""
    if one == other:
        return 0
    return -1 if _precedes(one, other) else 1


def _precedes(one: str, other: str) -> bool:
    digits = False
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left == right:
            digits = left.isdecimal()
            continue
        if left.isalpha() and right.isalpha():
            return left < right
        if left.isalpha() or right.isalpha():
            return left.isalpha() if digits else right.isalpha()
        return _number_precedes(one, other, place)
    return len(one) < len(other)


def _number_precedes(one: str, other: str, place: int) -> bool:
    """Compare two keys from the place where they differ, and where neither has a letter."""
    left, right = _digits(one[place:]), _digits(other[place:])
    leading = ""
    if "0" in (one[place], other[place]) and any(each != "0" for each in _digits(reversed(one[:place]))):
        leading = "1"
    values = [(leading + digits).lstrip("0") for digits in (left, right)]
    if values[0] != values[1]:
        return (len(values[0]), values[0]) < (len(values[1]), values[1])
    return len(left) < len(right) if len(left) != len(right) else one[place] < other[place]


def _digits(text: Iterable[str]) -> str:
    found = ""
    for each in text:
        if each not in "0123456789":
            break
        found += each
    return found
