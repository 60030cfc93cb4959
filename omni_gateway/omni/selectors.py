"""Label selectors as Omni reads them: ``a=b,a!=b,a in (x,y),a notin (x),a,!a,a>1,a<=2``; terms are joined by AND.

The grammar is Kubernetes', with four additions of Omni's: ``<``, ``<=``, ``>`` and ``>=`` compare numbers, which may
have a unit (``64GiB``); an unquoted value may hold spaces; a value or key in double quotes may hold anything, with a
backslash before ``"`` and ``\\``; an empty entry of a list is the empty value. Spaces around a value without quotes
do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

MAX_BYTES = 4096
MAX_TERMS = 64

Operator = Literal["=", "!=", "in", "notin", "exists", "!", "<", "<=", ">", ">="]

#: What separates words, and the characters that mean something wherever they stand without quotes.
_BLANK = " \t\r\n"
_SPACE = re.compile(rf"[{_BLANK}]*")
_KEY = re.compile(rf"[^{_BLANK},()=!<>]+")
_VALUE = re.compile(r"[^,()=!<>]+")
_NEEDS_QUOTES = re.compile(r'[,()=!<>]|^"')
_WORD = re.compile(rf"(notin|in)(?=[{_BLANK}(])")
_COMPARISON = re.compile(r"==|!=|<=|>=|=|<|>")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)

_NUMBER = re.compile(r"(-?[0-9]+)(.*)", re.DOTALL)
_BINARY_UNITS = {"ki": 10, "mi": 20, "gi": 30, "ti": 40, "pi": 50}
_DECIMAL_UNITS = {"k": 3, "m": 6, "g": 9, "t": 12, "p": 15}
_HALF, _WHOLE, _MOST_DIGITS = 2**63, 2**64, 19
_ORDER: Mapping[str, Callable[[int, int], bool]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def sendable(text: str) -> bool:
    """Return whether a label query can be sent to Omni: in an HTTP/2 header, so printable ASCII only."""
    return text.isascii() and text.isprintable()


def quoted(value: str) -> str:
    """Return a value as written in a selector: in quotes if it would be parsed differently without."""
    if not _NEEDS_QUOTES.search(value) and value == value.strip(_BLANK):
        return value
    return _in_quotes(value)


def _quoted_key(key: str) -> str:
    """Return a key as it stands in a selector: unlike a value it ends at the first space.

    Omni does not read a key that is a keyword reliably without quotes.
    """
    plain = _KEY.fullmatch(key) and not key.startswith('"') and key not in ("in", "notin")
    return key if plain else _in_quotes(key)


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(text: str) -> int | None:
    """Return the number that a label's value is compared by; None for one that Omni does not compare.

    Integers with an optional unit: ``Ki`` to ``Pi`` by 1024, ``k`` to ``P`` by 1000, in either case, whatever follows
    the unit. Omni counts in 64 bits, and a product beyond them wraps around.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None or len(found[1].lstrip("-0")) > _MOST_DIGITS or not -_HALF <= int(found[1]) < _HALF:
        return None
    unit = found[2].strip().lower()
    if not unit:
        factor = 1
    elif unit[:2] in _BINARY_UNITS:
        factor = 2 ** _BINARY_UNITS[unit[:2]]
    elif unit[:1] in _DECIMAL_UNITS:
        factor = 10 ** _DECIMAL_UNITS[unit[:1]]
    else:
        return None
    return int((int(found[1]) * factor + _HALF) % _WHOLE - _HALF)


class SelectorError(ValueError):
    """An invalid selector; ``position`` counts characters from 0."""

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
        """Return whether labels match this term.

        As in Kubernetes, ``!=`` and ``notin`` hold where the label is absent; a comparison of numbers never does.
        """
        present = self.key in labels
        if self.operator == "exists":
            return present
        if self.operator == "!":
            return not present
        if self.operator in _ORDER:
            return present and self._compares(labels[self.key])
        among = present and labels[self.key] in self.values
        return among if self.operator in ("=", "in") else not among

    def _compares(self, value: str) -> bool:
        found, bound = number(value), number(self.values[0])
        return found is not None and bound is not None and _ORDER[self.operator](found, bound)

    def __str__(self) -> str:
        key = _quoted_key(self.key)
        if self.operator == "exists":
            return key
        if self.operator == "!":
            return f"!{key}"
        if self.operator in ("in", "notin"):
            return f"{key} {self.operator} ({','.join(map(quoted, self._listed))})"
        return f"{key}{self.operator}{quoted(self.values[0])}"

    def to_omni(self) -> str:
        """Return the term as every version of Omni parses it: with quotes, unknown to older ones, only where needed."""
        if self.operator in ("exists", "!"):
            return str(self)
        key = _quoted_key(self.key)
        if self.operator in ("in", "notin"):
            return f"{key} {self.operator} ({', '.join(map(quoted, self._listed))})"
        return f"{key} {self.operator} {quoted(self.values[0])}" if self.values[0] else f"{key} {self.operator}"

    @property
    def _listed(self) -> tuple[str, ...]:
        """Return the values with the empty one first, where Omni reads it as such without quotes."""
        return tuple(sorted(self.values, key=bool)) if "" in self.values else self.values


@dataclass(frozen=True, slots=True)
class Selector:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels match every term."""
        return all(term.matches(labels) for term in self.terms)

    @property
    def sendable(self) -> bool:
        """Return whether the selector can be sent to Omni; labels may have characters that a header may not."""
        return sendable(self.to_omni())

    def to_omni(self) -> str:
        """Write the selector as one entry of Omni's ``selectors`` metadata."""
        return ",".join(term.to_omni() for term in self.terms)

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


def parse(text: str) -> Selector:
    """Parse a selector; raise :class:`SelectorError` with the reason and the position."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise SelectorError(f"longer than {MAX_BYTES} bytes", MAX_BYTES)
    if "\0" in text:
        raise SelectorError("a NUL character", text.index("\0"))
    reader = _Reader(text)
    terms = [reader.term()]
    while reader.take(","):
        terms.append(reader.term())
        if len(terms) > MAX_TERMS:
            raise SelectorError(f"more than {MAX_TERMS} terms", reader.position)
    if reader.position < len(text):
        raise reader.error("expected ',' or the end")
    return Selector(tuple(terms))


def parse_all(texts: Iterable[str]) -> list[Selector] | None:
    """Return the selectors of all texts but blank ones; None if only Omni can evaluate the syntax of any of them."""
    try:
        return [parse(text) for text in texts if text.strip()]
    except SelectorError:
        return None


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

    def _read(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        self._skip()
        return match.group()

    def _quoted(self) -> str | None:
        """Read what is in quotes, if something is here; what follows must be a token of its own."""
        if not self.text.startswith('"', self.position):
            return None
        match = _QUOTED.match(self.text, self.position)
        if match is None:
            raise self.error("a quotation mark that is not closed")
        self.position = match.end()
        self._skip()
        return _ESCAPED.sub(r"\1", match.group(1))

    def _key(self, pattern: re.Pattern[str] = _KEY) -> str:
        key = self._quoted()
        if key is not None:
            return key
        key = self._read(pattern)
        if key is None:
            raise self.error("expected a label key")
        return key.rstrip(_BLANK)

    def term(self) -> Term:
        if self.take("!"):
            return Term(self._key(_VALUE), "!")
        key = self._key()
        comparison = self._read(_COMPARISON)
        if comparison is not None:
            return Term(key, "=" if comparison == "==" else comparison, (self._value(),))  # type: ignore[arg-type]
        word = _WORD.match(self.text, self.position)
        if word is not None:
            self.position = word.end()
            self._skip()
            operator: Operator = "in" if word.group(1) == "in" else "notin"
            return Term(key, operator, self._values())
        return Term(key, "exists")

    def _value(self) -> str:
        """Read a value, which may be empty as in Kubernetes: ``a=`` holds where the label is there and empty."""
        value = self._quoted()
        if value is not None:
            return value
        return (self._read(_VALUE) or "").rstrip(_BLANK)

    def _values(self) -> tuple[str, ...]:
        if not self.take("("):
            raise self.error("expected '('")
        values = [self._value()]
        while self.take(","):
            values.append(self._value())
        if not self.take(")"):
            raise self.error("expected ',' or ')'")
        return tuple(values)
