"""One 404 for what belongs to other clusters and for what does not exist, for callers who may touch only some.

Where the object is missing is known in many places: Omni, an adapter, the scope. Their texts differ, so none of them
reaches such a caller.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import has_request_context

from omni_gateway.http.guard import known_principal
from omni_gateway.http.problems import Problem

DETAIL = "There is no such object, or it belongs to a cluster that you may not touch."


class PlainNotFound(Problem):
    """A 404 that tells nothing of other clusters, and is not concealed.

    It is about a name that is no object's (a type, a kind of operation), or about what lies below an object that the
    caller has just been found to be allowed to read.
    """

    def __init__(
        self,
        detail: str,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        code: str = "not-found",
    ) -> None:
        super().__init__(404, code, detail, hint=hint, headers=headers)


def concealed(problem: Problem) -> Problem:
    """Return a problem as the caller of the request in flight may read it."""
    if problem.status != 404 or isinstance(problem, PlainNotFound) or not has_request_context():
        return problem
    principal = known_principal()
    if principal is None or not principal.scope.restricted:
        return problem
    return Problem(404, "not-found", DETAIL)
