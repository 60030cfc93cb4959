"""The nearest known name to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: No name that anybody means is longer; what is compared takes time and room by its length.
_LONGEST = 200


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """Return ``; did you mean 'x'?`` for a mistyped name, or a full stop when no known one is near.

    Up to ``most`` names are told, the nearest first.
    """
    if len(name) > _LONGEST:
        return "."
    close = difflib.get_close_matches(name, list(known), n=most)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
