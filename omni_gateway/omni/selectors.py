"""Label selectors in Kubernetes' grammar: ``a=b,a!=b,a in (x,y),a notin (x),a,!a``; terms are joined by AND.

Values may hold what Omni's label values hold in practice (any printable text without ``,()=!`` and spaces at the ends).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MAX_BYTES = 4096
MAX_TERMS = 64

Operator = Literal["=", "!=", "in", "notin", "exists", "!"]

_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?")
_VALUE = re.compile(r"[^\s,()=!<>]+")
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"(notin|in)(?=[\s(])")


def sendable(text: str) -> bool:
    """Whether a label query can be sent to Omni: it travels in HTTP/2 headers, which carry printable ASCII only."""
    return text.isascii() and text.isprintable()


class SelectorError(ValueError):
    """The text is no selector; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil this; as in Kubernetes, ``!=`` and ``notin`` hold where the label is absent."""
        present = self.key in labels
        if self.operator == "exists":
            return present
        if self.operator == "!":
            return not present
        among = present and labels[self.key] in self.values
        return among if self.operator in ("=", "in") else not among

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("=", "!="):
            return f"{self.key}{self.operator}{self.values[0]}"
        return f"{self.key} {self.operator} ({','.join(self.values)})"

    def to_omni(self) -> str:
        """Write the term as Omni reads it (facts: resource-service)."""
        if self.operator in ("=", "!="):
            return f"{self.key} {self.operator} {self.values[0]}".rstrip()
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({', '.join(self.values)})"
        return str(self)


@dataclass(frozen=True, slots=True)
class Selector:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil every term."""
        return all(term.matches(labels) for term in self.terms)

    @property
    def sendable(self) -> bool:
        """Whether Omni can be asked this; labels may hold more than a question can."""
        return sendable(self.to_omni())

    def to_omni(self) -> str:
        """Write the selector as one entry of Omni's ``selectors`` metadata."""
        return ",".join(term.to_omni() for term in self.terms)

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


def parse(text: str) -> Selector:
    """Read a selector; :class:`SelectorError` says what is wrong and where."""
    if len(text.encode()) > MAX_BYTES:
        raise SelectorError(f"longer than {MAX_BYTES} bytes", MAX_BYTES)
    reader = _Reader(text)
    terms = [reader.term()]
    while reader.take(","):
        terms.append(reader.term())
        if len(terms) > MAX_TERMS:
            raise SelectorError(f"more than {MAX_TERMS} terms", reader.position)
    if reader.position < len(text):
        raise reader.error("expected ',' or the end")
    return Selector(tuple(terms))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._skip()

    def error(self, message: str) -> SelectorError:
        return SelectorError(message, self.position)

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def take(self, token: str) -> bool:
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        self._skip()
        return True

    def _read(self, pattern: re.Pattern[str], what: str) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise self.error(f"expected {what}")
        self.position = match.end()
        self._skip()
        return match.group()

    def term(self) -> Term:
        if self.take("!"):
            return Term(self._read(_KEY, "a label key"), "!")
        key = self._read(_KEY, "a label key")
        if self.take("!="):
            return Term(key, "!=", (self._value(),))
        if self.take("==") or self.take("="):
            return Term(key, "=", (self._value(),))
        word = _WORD.match(self.text, self.position)
        if word is not None:
            self.position = word.end()
            self._skip()
            operator: Operator = "in" if word.group(1) == "in" else "notin"
            return Term(key, operator, self._values())
        return Term(key, "exists")

    def _value(self) -> str:
        """Read a value, which may be empty as in Kubernetes: ``a=`` holds where the label is there and empty."""
        match = _VALUE.match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        self._skip()
        return match.group()

    def _values(self) -> tuple[str, ...]:
        if not self.take("("):
            raise self.error("expected '('")
        values = [self._read(_VALUE, "a value")]
        while self.take(","):
            values.append(self._read(_VALUE, "a value"))
        if not self.take(")"):
            raise self.error("expected ',' or ')'")
        return tuple(values)
