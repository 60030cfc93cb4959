"""What an adapter raises; one of its own back end and one of Omni's look the same to the views."""

from __future__ import annotations

from omni_gateway.http.problems import Problem
from omni_gateway.omni import errors as omni_errors


class NotFound(Problem):
    """There is no such object (for adapters whose back end is not Omni)."""

    def __init__(self, id: str) -> None:
        super().__init__(404, "not-found", f"There is no object {id!r}.")


class StaleVersion(Problem):
    """The object has another version than the one written over (for adapters whose back end is not Omni)."""

    def __init__(self, id: str) -> None:
        super().__init__(409, "changed-meanwhile", f"{id!r} was changed meanwhile.", hint="Try again.")


MISSING = (NotFound, omni_errors.NotFound)
STALE = (StaleVersion, omni_errors.StaleVersion)
