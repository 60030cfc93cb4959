"""Problem documents (RFC 9457) as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from .models import Problem


class ProblemError(Exception):
    """An answer of the gateway, or of a proxy before it, with a status of 400 or more.

    :param status: the status of the answer, or of the problem that ended a stream.
    :param problem: the problem document; None if the answer was none, as one of a proxy.
    :param retry_after: the seconds of the header ``Retry-After``.
    """

    def __init__(self, status: int, problem: Problem | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{problem.code}: {problem.detail or problem.title}" if problem else f"HTTP status {status}")
        self.status = status
        self.problem = problem
        self.retry_after = retry_after

    @property
    def code(self) -> str | None:
        """The stable code, for programs; None if the answer was no problem document."""
        return str(self.problem.code) if self.problem else None

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return bool(self.problem.retryable) if self.problem else self.status in (429, 503)

    @classmethod
    def of(cls, answer: httpx.Response) -> Self:
        """Return the problem of an answer whose body has been read."""
        try:
            document = answer.json()
        except ValueError:
            document = None
        return cls(answer.status_code, _problem(document), _seconds(answer.headers.get("Retry-After")))

    @classmethod
    def from_event(cls, document: Mapping[str, Any]) -> Self:
        """Return the problem that ended a stream."""
        return cls(int(document.get("status", 500)), _problem(document))


def _problem(document: Any) -> Problem | None:
    try:
        return Problem.from_dict(document) if isinstance(document, dict) and "code" in document else None
    except (KeyError, ValueError, TypeError):
        return None


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
