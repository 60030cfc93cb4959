"""The article and the plural of an English noun, for texts that are made of the name of a resource."""

from __future__ import annotations


def with_article(noun: str) -> str:
    """Return the noun with its indefinite article, by its first letter; a ``u`` is that of ``user``."""
    return f"{'an' if noun[0] in 'aeioAEIO' else 'a'} {noun}"


def plural(noun: str) -> str:
    """Return the regular plural of a noun: ``machines``, ``config patches``, ``audit entries``."""
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
