"""Label selectors as Omni reads them: Kubernetes' grammar, numeric comparisons, values with spaces and in quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]
_SPECIAL = "=!(),<>"
_BLANK = " \t\r\n"
_SYMBOLS = (*_SPECIAL, "!=", "==", "<=", ">=")
_COMPARES = frozenset({"<", "<=", ">", ">="})
_ORDER: dict[str, Callable[[int, int], bool]] = {
    "<": lambda have, want: have < want,
    "<=": lambda have, want: have <= want,
    ">": lambda have, want: have > want,
    ">=": lambda have, want: have >= want,
}
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_END = ("end", "")


class SelectorError(ValueError):
    """A selector does not parse; the text names it."""


@dataclass(frozen=True)
class Term:
    """One condition on one label; ``op`` is ``in``, ``exists`` or a comparison, ``negated`` turns it round."""

    key: str
    op: str
    values: tuple[str, ...] = ()
    negated: bool = False

    def matches(self, labels: Labels) -> bool:
        """Return whether the labels meet the condition; a comparison never holds without two numbers."""
        value = labels.get(self.key)
        if self.op in _COMPARES:
            have, want = (None if text is None else _number(text) for text in (value, self.values[0]))
            return have is not None and want is not None and _ORDER[self.op](have, want)
        holds = value is not None and (self.op == "exists" or value in self.values)
        return holds is not self.negated


@dataclass(frozen=True)
class Selector:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def matches(self, labels: Labels) -> bool:
        """Return whether the labels meet every condition."""
        return all(term.matches(labels) for term in self.terms)


def parse(text: str) -> Selector:
    """Read a selector, terms joined by commas; :class:`SelectorError`. An empty text is no condition."""
    tokens = _Tokens(text)
    terms = []
    if tokens.next == _END:
        return Selector(())
    while True:
        terms.append(_term(tokens))
        if tokens.next == _END:
            return Selector(tuple(terms))
        tokens.take(",")


def any_of(texts: Iterable[str]) -> Callable[[Labels], bool] | None:
    """Return a predicate: do labels match one of several selectors? None without selectors."""
    selectors = [parsed for parsed in map(parse, texts) if parsed.terms]
    return (lambda labels: any(selector.matches(labels) for selector in selectors)) if selectors else None


class _Tokens:
    """The tokens of a text, one ahead: ``("word", text)``, ``("symbol", text)`` or the end.

    Once a term has its operator, a word without quotes runs to the next special character, spaces included; so it is
    until the comma after the term, or the bracket that closes its list.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._operator = self._list = False
        self.next = self._read()

    def error(self) -> SelectorError:
        return SelectorError(f"{self._text!r} is no label selector: unexpected {self.next[1] or 'end'!r}")

    def advance(self) -> str:
        """Return the text of the next token and go on."""
        text, self.next = self.next[1], self._read()
        return text

    def take(self, symbol: str) -> None:
        """Go on behind a symbol; :class:`SelectorError` where something else comes."""
        if self.next != ("symbol", symbol):
            raise self.error()
        self.advance()

    def word(self) -> str:
        """Return the word that comes next and go on; :class:`SelectorError` where none comes."""
        if self.next[0] != "word":
            raise self.error()
        return self.advance()

    def _read(self) -> tuple[str, str]:
        while self._text[self._at : self._at + 1] in tuple(_BLANK):
            self._at += 1
        first = self._text[self._at : self._at + 1]
        if first in ("", "\0"):
            return _END
        if first == '"':
            return "word", self._quoted()
        if first not in _SPECIAL:
            return "word", self._word()
        symbol = max((each for each in _SYMBOLS if self._text.startswith(each, self._at)), key=len)
        self._at += len(symbol)
        self._note(symbol)
        return "symbol", symbol

    def _note(self, symbol: str) -> None:
        if symbol in "()":
            self._list = symbol == "("
        elif symbol != ",":
            self._operator = True
        elif not self._list:
            self._operator = False

    def _word(self) -> str:
        start = self._at
        stops = _SPECIAL if self._operator else _SPECIAL + _BLANK
        while self._at < len(self._text) and self._text[self._at] not in stops:
            self._at += 1
        word = self._text[start : self._at]
        self._operator = self._operator or word in ("in", "notin")
        return word

    def _quoted(self) -> str:
        found, at = [], self._at + 1
        while at < len(self._text) and self._text[at] != '"':
            at += self._text[at] == "\\"
            found.append(self._text[at : at + 1])
            at += 1
        if at >= len(self._text):
            raise SelectorError(f"{self._text!r} is no label selector: unterminated quoted string")
        self._at = at + 1
        return "".join(found)


def _term(tokens: _Tokens) -> Term:
    if tokens.next == ("symbol", "!"):
        tokens.advance()
        key = tokens.word()
        if tokens.next not in (_END, ("symbol", ",")):
            raise tokens.error()
        return Term(key, "exists", (), True)
    key = tokens.word()
    if tokens.next in (_END, ("symbol", ",")):
        return Term(key, "exists")
    if tokens.next in (("word", "in"), ("word", "notin")):
        return Term(key, "in", negated=tokens.advance() == "notin", values=_values(tokens))
    if tokens.next[0] != "symbol" or tokens.next[1] in "()!,":
        raise tokens.error()
    op = tokens.advance()
    value = "" if tokens.next in (_END, ("symbol", ",")) else tokens.word()
    if op in _COMPARES:
        return Term(key, op, (value,))
    return Term(key, "in", (value,), op == "!=")


def _values(tokens: _Tokens) -> tuple[str, ...]:
    tokens.take("(")
    values = []
    while True:
        values.append("" if tokens.next[0] == "symbol" else tokens.word())
        if tokens.next == ("symbol", ")"):
            tokens.advance()
            return tuple(values)
        tokens.take(",")


def _number(text: str) -> int | None:
    """Return a whole number with its unit ("64GiB", "4k") in 64 bits, as Omni's labels are compared."""
    text = text.strip()
    end = next((at for at, character in enumerate(text) if character not in "0123456789-"), len(text))
    digits, unit = text[:end], text[end:].strip().lower()
    if not digits or "-" in digits[1:] or digits == "-" or len(digits.lstrip("-0")) > 19:
        return None
    value = int(digits)
    if not -(2**63) <= value < 2**63:
        return None
    if not unit:
        return value
    power = _POWERS.get(unit[0])
    if power is None:
        return None
    factor = int(1024**power if unit[1:2] == "i" else 1000**power)
    return (value * factor + 2**63) % 2**64 - 2**63
