"""How much a worker keeps, shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

#: Bytes for what is rendered, where nothing else is kept.
LEAST_RENDERED = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes: of the objects that watches tell of, of their rendered bodies, of whole answers, of pages."""

    objects: int
    bodies: int
    answers: int
    pages: int

    @classmethod
    def of(cls, in_all: int) -> Self:
        """Share out ``in_all`` bytes; 0: no objects, and a little of what was rendered last."""
        rendered = max(in_all // 2, LEAST_RENDERED)
        return cls(in_all // 2, rendered // 2, rendered // 4, rendered // 4)
