"""Errors that adapters raise. The views treat these and Omni's own alike: catch ``MISSING`` and ``STALE``."""

from __future__ import annotations

from omni_gateway.http.problems import Problem
from omni_gateway.omni import errors as omni_errors


class PluginError(Exception):
    """A plugin's declaration is invalid; raised when the plugin is made or registered."""


class NotFound(Problem):
    """There is no such object (for adapters whose back end is not Omni)."""

    def __init__(self, id: str) -> None:
        super().__init__(404, "not-found", f"There is no object {id!r}.")


class StaleVersion(Problem):
    """The object's version is not the one that a write names (for adapters whose back end is not Omni)."""

    def __init__(self, id: str) -> None:
        super().__init__(409, "changed-meanwhile", f"{id!r} was changed in the meantime.", hint="Try again.")


#: For ``except``: the object does not exist.
MISSING = (NotFound, omni_errors.NotFound)
#: For ``except``: the object has another version than the one that the write names.
STALE = (StaleVersion, omni_errors.StaleVersion)
