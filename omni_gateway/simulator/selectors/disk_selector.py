"""Disk selectors: whether an expression in CEL compiles to true or false over a disk. It is never evaluated here.

The grammar is limited to literals, a disk's fields, operators, and the string functions.
"""

from __future__ import annotations

import re

DISK: dict[str, str] = dict.fromkeys(
    ("dev_path", "pretty_size", "model", "serial", "modalias", "wwid", "uuid", "bus_path", "sub_system", "transport"),
    "string",
)
DISK |= dict.fromkeys(("size", "io_size", "sector_size"), "number")
DISK |= dict.fromkeys(("readonly", "cdrom", "rotational"), "bool")
DISK |= dict.fromkeys(("symlinks", "secondary_disks"), "list")
"""The fields of ``disk`` and their types; a number is any of CEL's three."""

NAMES = {"disk": "disk", "system_disk": "bool", "true": "bool", "false": "bool", "null": "null"}
NAMES |= dict.fromkeys(("kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"), "number")
_METHODS = {"startsWith": "bool", "endsWith": "bool", "contains": "bool", "matches": "bool", "size": "number"}
_FUNCTIONS = {"glob": ("string", "string", "bool"), "size": ("any", "number")}
_LEVELS = (("||",), ("&&",), ("==", "!=", "<=", ">=", "<", ">", "in"), ("+", "-"), ("*", "/", "%"))
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.\d+|\d+u?)|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<op>\|\||&&|[=!<>]=|[<>!+*/%().,?:\[\]-]))"""
)
_DEEPEST = 40
"""Levels of brackets; each takes some ten frames of the interpreter's thousand."""


class SelectorError(ValueError):
    """An expression does not compile; the text is the reason."""


def check(text: str) -> None:
    """Compile an expression; :class:`SelectorError` unless it comes to true or false."""
    compiler = _Compiler(text)
    found = compiler.ternary(0)
    compiler.end()
    if found != "bool":
        raise SelectorError(f"it comes to a {found}, not to true or false")


class _Compiler:
    """Reads tokens and returns the type of the expression."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise SelectorError(f"unexpected {self._tokens[self._at][1]!r}")

    def ternary(self, depth: int) -> str:
        found = self._binary(0, depth)
        if not self._take("?"):
            return found
        _demand(found, "bool")
        first = self.ternary(depth + 1)
        self._must(":")
        _demand(self.ternary(depth + 1), first)
        return first

    def _binary(self, level: int, depth: int) -> str:
        if level == len(_LEVELS):
            return self._unary(depth)
        left = self._binary(level + 1, depth)
        while (operator := self._one_of(_LEVELS[level])) is not None:
            left = _result(operator, left, self._binary(level + 1, depth))
        return left

    def _unary(self, depth: int) -> str:
        if depth > _DEEPEST:
            raise SelectorError("it is too deep")
        if self._take("!"):
            return _demand(self._unary(depth + 1), "bool")
        return _demand(self._unary(depth + 1), "number") if self._take("-") else self._member(depth)

    def _member(self, depth: int) -> str:
        found = self._primary(depth)
        while True:
            if self._take("."):
                name = self._name()
                found = self._method(name, found, depth) if self._take("(") else _field(found, name)
            elif self._take("["):
                _demand(found, "list")
                _demand(self.ternary(depth + 1), "number")
                self._must("]")
                found = "string"
            else:
                return found

    def _method(self, name: str, of: str, depth: int) -> str:
        arguments = self._arguments(depth)
        if name not in _METHODS or of not in ("string", "list") or arguments != ["string"] * (name != "size"):
            raise SelectorError(f"a {of} has no {name}({', '.join(arguments)})")
        return _METHODS[name]

    def _primary(self, depth: int) -> str:
        kind, text = self._next()
        if kind in ("number", "string"):
            return kind
        if text == "(":
            found = self.ternary(depth + 1)
            self._must(")")
            return found
        if kind == "name" and text in _FUNCTIONS and self._take("("):
            *wanted, result = _FUNCTIONS[text]
            given = self._arguments(depth)
            if len(given) != len(wanted) or any(
                want not in ("any", has) for want, has in zip(wanted, given, strict=True)
            ):
                raise SelectorError(f"there is no {text}({', '.join(given)})")
            return result
        if kind != "name" or text not in NAMES:
            raise SelectorError(f"undeclared reference to {text!r}" if kind == "name" else f"unexpected {text!r}")
        return NAMES[text]

    def _arguments(self, depth: int) -> list[str]:
        found: list[str] = []
        while not self._take(")"):
            if found:
                self._must(",")
            found.append(self.ternary(depth + 1))
        return found

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise SelectorError(f"unexpected {text!r}")
        return text

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise SelectorError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _one_of(self, operators: tuple[str, ...]) -> str | None:
        return next((operator for operator in operators if self._take(operator)), None)

    def _take(self, text: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at][1] == text
        self._at += found
        return found

    def _must(self, text: str) -> None:
        if not self._take(text):
            raise SelectorError(f"{text!r} is missing")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SelectorError(f"unexpected {text[at : at + 10].strip()!r}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


def _field(of: str, name: str) -> str:
    if of != "disk" or name not in DISK:
        raise SelectorError(f"undefined field {name!r}")
    return DISK[name]


def _demand(found: str, wanted: str) -> str:
    if found != wanted:
        raise SelectorError(f"a {wanted} is needed where there is a {found}")
    return found


def _result(operator: str, left: str, right: str) -> str:
    if operator in ("||", "&&"):
        return _demand(_demand(left, "bool"), right)
    if operator == "in":
        return "bool" if _demand(right, "list") else ""
    if operator in ("==", "!="):
        _demand(right, left)
        return "bool"
    if operator in ("<", "<=", ">", ">="):
        if left not in ("number", "string"):
            raise SelectorError(f"there is no order of a {left}")
        _demand(right, left)
        return "bool"
    if left == "string" and operator == "+":
        return _demand(right, "string")
    return _demand(_demand(left, "number"), right)
