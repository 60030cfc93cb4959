"""Durations as specs hold them."""

from __future__ import annotations


def seconds(text: str | None) -> float:
    """Return a duration such as ``"3600s"`` in seconds; none at all is 0."""
    return float(text.removesuffix("s")) if text else 0.0
