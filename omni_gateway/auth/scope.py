"""Restriction of a caller to some clusters."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

MOST_PATTERNS = 50
LONGEST_PATTERN = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """Shell patterns of cluster names (``prod-*``); None: every cluster, and objects that belong to no cluster."""

    patterns: tuple[str, ...] | None = None

    @property
    def restricted(self) -> bool:
        """Return whether the caller is restricted to some clusters."""
        return self.patterns is not None

    def allows(self, cluster: str) -> bool:
        """Return whether the caller may read and change a cluster and the objects that belong to it."""
        return self.patterns is None or any(fnmatchcase(cluster, pattern) for pattern in self.patterns)


EVERYTHING = Scope()
