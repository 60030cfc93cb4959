"""The body of an answer, by its type."""

from __future__ import annotations

from typing import TypeVar

from .models import Problem
from .problems import ProblemError
from .types import Response

T = TypeVar("T")


class UnexpectedAnswer(Exception):
    """The gateway answered with a status that has no body, or that the client does not know."""


def result(answer: Response[T | Problem]) -> T:
    """Return the body of the answer of a ``sync_detailed`` or ``asyncio_detailed``.

    Raises :class:`ProblemError` for a problem, and :class:`UnexpectedAnswer` if there is no body.
    """
    if isinstance(answer.parsed, Problem):
        raise ProblemError(answer.status_code, answer.parsed)
    if answer.parsed is None:
        raise UnexpectedAnswer(f"status {answer.status_code.value} without a body")
    return answer.parsed
