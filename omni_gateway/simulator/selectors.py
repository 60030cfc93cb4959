"""Label selectors in the Kubernetes grammar, with Omni's numeric comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]
_KEY = r"[^\s,!=<>()]+"
_IN = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_COMPARE = re.compile(rf"({_KEY})\s*(==|=|!=|<=|<|>=|>)\s*([^,()=<>!]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)")
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": lambda have, want: have < want,
    "<=": lambda have, want: have <= want,
    ">": lambda have, want: have > want,
    ">=": lambda have, want: have >= want,
}


class SelectorError(ValueError):
    """A selector does not parse; the text says which."""


@dataclass(frozen=True)
class Term:
    """One condition on one label; ``op`` is ``in``, ``exists`` or a comparison, ``negated`` turns it round."""

    key: str
    op: str
    values: tuple[str, ...] = ()
    negated: bool = False

    def matches(self, labels: Labels) -> bool:
        """Tell whether the labels meet the condition."""
        return self._holds(labels) is not self.negated

    def _holds(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        if value is None:
            return False
        if self.op == "exists":
            return True
        if self.op == "in":
            return value in self.values
        have, want = _number(value), _number(self.values[0])
        return have is not None and want is not None and _ORDER[self.op](have, want)


@dataclass(frozen=True)
class Selector:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def matches(self, labels: Labels) -> bool:
        """Tell whether the labels meet every condition."""
        return all(term.matches(labels) for term in self.terms)


def parse(text: str) -> Selector:
    """Read a selector, terms joined by commas; :class:`SelectorError`."""
    terms, rest = [], text.strip()
    while rest:
        term, rest = _term(rest, text)
        terms.append(term)
        if rest and not rest.startswith(","):
            raise SelectorError(f"{text!r} is no label selector: unexpected {rest!r}")
        rest = rest[1:].lstrip()
    return Selector(tuple(terms))


def any_of(texts: Iterable[str]) -> Callable[[Labels], bool] | None:
    """Return what tells whether labels match one of several selectors; None when there is none."""
    selectors = [parsed for parsed in map(parse, texts) if parsed.terms]
    return (lambda labels: any(selector.matches(labels) for selector in selectors)) if selectors else None


def _term(rest: str, text: str) -> tuple[Term, str]:
    if found := _IN.match(rest):
        values = tuple(value.strip() for value in found[3].split(","))
        return Term(found[1], "in", values, found[2] == "notin"), rest[found.end() :].lstrip()
    if found := _COMPARE.match(rest):
        op, value = found[2], found[3].strip()
        if op in _ORDER:
            return Term(found[1], op, (value,)), rest[found.end() :].lstrip()
        return Term(found[1], "in", (value,), op == "!="), rest[found.end() :].lstrip()
    if found := _EXISTS.match(rest):
        return Term(found[2], "exists", (), bool(found[1])), rest[found.end() :].lstrip()
    raise SelectorError(f"{text!r} is no label selector")


def _number(text: str) -> float | None:
    # A unit may follow, as in the memory labels ("64GiB").
    found = _NUMBER.match(text)
    return float(found[1]) if found else None
