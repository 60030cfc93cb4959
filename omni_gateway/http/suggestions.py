"""The nearest known name to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Longer names get no suggestion: the comparison takes time and memory by their length.
_LONGEST = 200


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """Return ``; did you mean 'x'?`` for a mistyped name, or a full stop when no known name is similar.

    Suggests up to ``most`` names, the nearest first.
    """
    if len(name) > _LONGEST:
        return "."
    close = difflib.get_close_matches(name, list(known), n=most)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
