"""Rules of EulaAcceptances."""

from __future__ import annotations

from collections.abc import Iterator

from ..resource import Resource
from .base import RuleContext, Rules


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check that somebody accepts."""
    for field in ("accepted_by_name", "accepted_by_email"):
        if not new.spec.get(field):
            yield f"{field} is missing"


RULES = Rules("EulaAcceptances.omni.sidero.dev", create)
