"""A regular expression that ids are matched with, in RE2's syntax, which is that of ``omnictl get --id-match-regexp``.

RE2 takes time in proportion to the id's length, whatever the expression: Python's ``re`` may take exponential time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

MAX_LENGTH = 256
#: Bound of a compiled expression; a larger one is an error.
_MAX_BYTES = 1024 * 1024


class IdPatternError(ValueError):
    """An invalid expression; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class IdPattern:
    """An expression; it matches an id that has a match anywhere, unless it has ``^`` and ``$``.

    Raises :class:`IdPatternError`.
    """

    text: str
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.text) > MAX_LENGTH:
            raise IdPatternError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH)
        try:
            object.__setattr__(self, "_compiled", _compiled(self.text))
        except re2.error as error:
            raise IdPatternError(_reason(error), _position(self.text, error)) from None

    def matches(self, id: str) -> bool:
        """Return whether an id has a match."""
        return self._compiled.search(id) is not None


@lru_cache(maxsize=64)
def _compiled(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_BYTES
    return re2.compile(text, options)


def _reason(error: Exception) -> str:
    """Return RE2's message: the kind of fault, and after a colon the part of the expression."""
    message = error.args[0]
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


def _position(text: str, error: Exception) -> int:
    """Return where the faulty part begins. RE2 names the part, which may also be elsewhere, where it is no fault.

    It reads from left to right: the shortest beginning with the same fault ends with that part.
    """
    reason = _reason(error)
    length = len(reason.partition(": ")[2]) or 1
    for end in range(1, len(text) + 1):
        try:
            _compiled(text[:end])
        except re2.error as same:
            if _reason(same) == reason:
                return max(0, end - length)
    return 0
