"""Which clusters a caller may touch."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

MOST_PATTERNS = 50
LONGEST_PATTERN = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns of cluster names as shells write them (``prod-*``); None: every cluster, and what belongs to none."""

    patterns: tuple[str, ...] | None = None

    @property
    def restricted(self) -> bool:
        """Whether there is anything that the caller may not touch."""
        return self.patterns is not None

    def allows(self, cluster: str) -> bool:
        """Whether the caller may see and change a cluster and what belongs to it."""
        return self.patterns is None or any(fnmatchcase(cluster, pattern) for pattern in self.patterns)


EVERYTHING = Scope()
