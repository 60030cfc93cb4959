"""Versions, read as leniently as omnictl reads them."""

from __future__ import annotations

import re
from typing import NamedTuple

_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_FULL = re.compile(
    rf"([0-9]{{1,19}})\.([0-9]{{1,19}})\.([0-9]{{1,19}})(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_SHORT = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,19}))?")


class Version(NamedTuple):
    """A version that compares by its numbers; a pre-release is older than its release."""

    numbers: tuple[int, int, int]
    release: bool

    @classmethod
    def read(cls, text: str) -> Version | None:
        """Return the version of a text, which may be short (``1.2``) and start with a ``v``; None if it is none."""
        plain = text.strip().removeprefix("v")
        if full := _FULL.fullmatch(plain):
            return cls((int(full[1]), int(full[2]), int(full[3])), full[4] is None)
        if short := _SHORT.fullmatch(plain):
            return cls((int(short[1]), int(short[2] or 0), 0), True)
        return None
