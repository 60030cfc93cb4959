"""Label selectors of machine classes: `a`, `!a`, `a = b`, `a != b`, `a in (x, y)`, `a notin (x)`, `a < 4`, `a >= 4`.

Terms joined by commas must all hold; of several selectors one must.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping

Labels = Mapping[str, str]
Term = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9][A-Za-z0-9./_-]*"
_SET = re.compile(rf"^({_KEY})\s+(in|notin)\s*\(([^()]*)\)$")
_COMPARISON = re.compile(rf"^({_KEY})\s*(==|!=|<=|>=|=|<|>)\s*([^\s=<>!]*)$")
_EXISTENCE = re.compile(rf"^(!?)\s*({_KEY})$")


def _number(text: str | None) -> float | None:
    match = re.match(r"^\d+(\.\d+)?", text or "")
    return float(match.group()) if match else None


def _compare(key: str, operator: str, value: str) -> Term:
    if operator in ("=", "=="):
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        return lambda labels: labels.get(key) != value

    def numeric(labels: Labels) -> bool:
        left, right = _number(labels.get(key)), _number(value)
        if left is None or right is None:
            return False
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]

    return numeric


def _member(key: str, values: frozenset[str], *, inside: bool) -> Term:
    return lambda labels: (labels.get(key) in values) == inside


def _exists(key: str, *, wanted: bool) -> Term:
    return lambda labels: (key in labels) == wanted


def _term(text: str) -> Term:
    if match := _SET.match(text):
        values = frozenset(item.strip() for item in match.group(3).split(","))
        return _member(match.group(1), values, inside=match.group(2) == "in")
    if match := _COMPARISON.match(text):
        return _compare(*match.groups())
    if match := _EXISTENCE.match(text):
        return _exists(match.group(2), wanted=not match.group(1))
    raise ValueError(f"not a label selector: {text!r}")


@functools.lru_cache(maxsize=256)
def parse(selector: str) -> tuple[Term, ...]:
    """Parse a selector into its terms; ValueError when it is none."""
    parts = re.split(r",(?![^()]*\))", selector)
    return tuple(_term(part.strip()) for part in parts)


def matches_any(selectors: Iterable[str], labels: Labels) -> bool:
    """Tell whether the labels satisfy one of the selectors."""
    return any(all(term(labels) for term in parse(selector)) for selector in selectors)
