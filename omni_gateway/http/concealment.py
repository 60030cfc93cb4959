"""One and the same 404 for missing objects and for objects of other clusters, for callers restricted to some clusters.

Omni, adapters and scope checks each have a 404 with a text of its own. Such a caller could tell the two cases apart by
the text, so all of them are replaced by one.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import has_request_context

from omni_gateway.http.guard import known_principal
from omni_gateway.http.problems import Problem

DETAIL = "There is no such object, or it belongs to a cluster that you may not touch."


class PlainNotFound(Problem):
    """A 404 that reveals nothing of other clusters, and so keeps its text.

    It is for names of other things than objects (a type, a kind of operation), and for sub-resources of an object that
    the caller has just been found to be allowed to read.
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
    """Return the problem to send to the current caller: for restricted callers, every 404 becomes the common one."""
    if problem.status != 404 or isinstance(problem, PlainNotFound) or not has_request_context():
        return problem
    principal = known_principal()
    if principal is None or not principal.scope.restricted:
        return problem
    return Problem(404, "not-found", DETAIL)
