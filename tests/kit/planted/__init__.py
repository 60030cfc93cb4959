"""Plugins with one mistake each, of the sort that authors make. The conformance kit has to find each of them."""

from __future__ import annotations

from . import lists, scopes, secrets, versions, views, watches, workers, writes
from .entry import Planted

__all__ = ["PLANTED", "Planted"]

PLANTED: list[Planted] = [
    *scopes.PLANTED,
    *secrets.PLANTED,
    *versions.PLANTED,
    *lists.PLANTED,
    *writes.PLANTED,
    *watches.PLANTED,
    *views.PLANTED,
    *workers.PLANTED,
]
