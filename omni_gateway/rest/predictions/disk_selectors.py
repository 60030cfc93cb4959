"""The type check of disk selectors: whether a CEL expression over a disk is a boolean. It is never evaluated.

An operator-precedence parser that computes the type of each part. It supports the subset of CEL that disk selectors
use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?u?)|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<mark>\|\||&&|[=!<>]=|[<>!+*/%().,?:\[\]-]))\s*"""
)
_TEXTS = "dev_path pretty_size model serial modalias wwid uuid bus_path sub_system transport"
_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS.split(), "string"),
    **dict.fromkeys(("size", "io_size", "sector_size"), "number"),
    **dict.fromkeys(("readonly", "cdrom", "rotational"), "bool"),
    **dict.fromkeys(("symlinks", "secondary_disks"), "list"),
}
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("system_disk", "true", "false"), "bool"),
    **dict.fromkeys(("kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"), "number"),
    "disk": "disk",
    "null": "null",
}
_PRECEDENCE: Mapping[str, int] = {
    **dict.fromkeys(("?",), 1),
    **dict.fromkeys(("||",), 2),
    **dict.fromkeys(("&&",), 3),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "%"), 6),
}
_DEEPEST = 40


class _Wrong(ValueError):
    """The expression does not compile."""


def may_compile(text: str) -> bool:
    """Return True if an expression compiles and has the type ``bool``."""
    try:
        parser = _Parser(text)
        return parser.expression(1) == "bool" and parser.at_end
    except _Wrong:
        return False


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._next = self._depth = 0
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise _Wrong
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            position = match.end()

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    def expression(self, least: int) -> str:
        """Parse operators of at least the precedence ``least``; return the type of the result."""
        self._depth += 1
        if self._depth > _DEEPEST:  # a caller's text must not exhaust Python's stack
            raise _Wrong
        left = self._operand()
        while (binds := _PRECEDENCE.get(self._ahead(), 0)) >= least:
            operator = self._take()
            if operator == "?":
                branch = self.expression(1)
                self._expect(":")
                if left != "bool" or self.expression(1) != branch:
                    raise _Wrong
                left = branch
            else:
                left = _result(operator, left, self.expression(binds + 1))
        self._depth -= 1
        return left

    def _operand(self) -> str:
        if self._ahead() in ("!", "-"):
            wanted = "bool" if self._take() == "!" else "number"
            if self.expression(7) != wanted:
                raise _Wrong
            return wanted
        found = self._primary()
        while self._ahead() in (".", "["):
            if self._take() == "[":
                index = self.expression(1)
                self._expect("]")
                if (found, index) != ("list", "number"):
                    raise _Wrong
                found = "string"
            else:
                found = self._member(found, self._take())
        return found

    def _primary(self) -> str:
        if self.at_end:
            raise _Wrong
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind in ("number", "string"):
            return kind
        if text == "(":
            found = self.expression(1)
            self._expect(")")
            return found
        if text in ("glob", "size") and self._ahead() == "(":
            arguments = self._arguments()
            if arguments != ["string", "string"] if text == "glob" else len(arguments) != 1:
                raise _Wrong
            return "bool" if text == "glob" else "number"
        if text not in _NAMES:
            raise _Wrong
        return _NAMES[text]

    def _member(self, of: str, name: str) -> str:
        if self._ahead() != "(":
            if of != "disk" or name not in _FIELDS:
                raise _Wrong
            return _FIELDS[name]
        arguments = self._arguments()
        if name == "size":
            wanted: list[str] = []
        elif name in ("startsWith", "endsWith", "contains", "matches"):
            wanted = ["string"]
        else:
            raise _Wrong
        if of not in ("string", "list") or arguments != wanted:
            raise _Wrong
        return "number" if name == "size" else "bool"

    def _arguments(self) -> list[str]:
        self._expect("(")
        found: list[str] = []
        while self._ahead() != ")":
            if found:
                self._expect(",")
            found.append(self.expression(1))
        self._expect(")")
        return found

    def _ahead(self) -> str:
        if self.at_end:
            return ""
        kind, text = self._tokens[self._next]
        return text if kind != "string" else ""

    def _take(self) -> str:
        text = self._ahead()
        self._next += 1
        return text

    def _expect(self, mark: str) -> None:
        if self._take() != mark:
            raise _Wrong


def _result(operator: str, left: str, right: str) -> str:
    if operator in ("||", "&&"):
        fits, result = left == right == "bool", "bool"
    elif operator == "in":
        fits, result = right == "list", "bool"
    elif operator in ("==", "!="):
        fits, result = left == right, "bool"
    elif operator in ("<", "<=", ">", ">="):
        fits, result = left == right and left in ("number", "string"), "bool"
    else:
        fits, result = left == right and (left == "number" or (operator, left) == ("+", "string")), left
    if not fits:
        raise _Wrong
    return result
