"""Which texts every database holds."""

from __future__ import annotations


def storable(text: str) -> bool:
    """Whether a text has neither a NUL, which PostgreSQL refuses, nor a lone surrogate, which no UTF-8 has.

    What is looked for and is none is not there.
    """
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
