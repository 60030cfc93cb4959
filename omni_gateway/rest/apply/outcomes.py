"""The outcome of each object of an apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from omni_gateway.http.concealment import concealed
from omni_gateway.http.problems import Problem, without_request
from omni_gateway.model.resource import Resource
from omni_gateway.rest.apply.documents import Document

Action = Literal["created", "updated", "unchanged", "destroyed", "failed", "skipped", "taken-back", "not-written"]
DONE: frozenset[Action] = frozenset({"created", "updated", "unchanged", "destroyed"})


@dataclass(slots=True)
class Outcome:
    """The outcome of one object.

    ``document`` is what is written, None for an object that is removed. ``before`` is the existing object, ``after``
    the object to write, ``action`` the action that was taken, or in a dry run would be: ``destroyed`` once Omni has
    accepted the removal, which its controllers may carry out later.
    """

    index: int
    type: str
    id: str
    document: Document | None = None
    before: Resource | None = None
    after: Resource | None = None
    action: Action | None = None
    problem: Problem | None = None
    #: Whether a write that failed may have been applied.
    uncertain: bool = False
    #: RFC 6902 operations (dry run only).
    diff: Sequence[Mapping[str, Any]] | None = None
    #: The object as callers read it, before and after, with secrets masked; empty where there is none (dry run only).
    shown: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None

    def fail(self, problem: Problem, action: Action = "failed") -> None:
        """Record that this object was not written or removed, and why."""
        self.problem = problem
        self.action = action

    @property
    def done(self) -> bool:
        """True if Omni's object is as the document says, or is being removed (in a dry run: would be)."""
        return self.action in DONE

    @property
    def key(self) -> tuple[str, str]:
        """Return type and id of the object."""
        return self.type, self.id

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON members."""
        result: dict[str, Any] = {"index": self.index, "type": self.type, "id": self.id, "action": self.action}
        if self.diff is not None:
            result["diff"] = self.diff
        if self.problem is not None:
            result["problem"] = without_request(concealed(self.problem).to_dict())
        return result


def count(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return the number of outcomes by action; actions without any are left out."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.action is not None:
            counts[outcome.action] = counts.get(outcome.action, 0) + 1
    return counts


def summary(outcomes: Sequence[Outcome], *, dry_run: bool) -> dict[str, Any]:
    """Return the outcomes and their number by action as JSON members: the answer of ``POST /apply``."""
    return {"dry_run": dry_run, "counts": count(outcomes), "results": [outcome.to_dict() for outcome in outcomes]}


def refuse_incomplete(outcomes: Sequence[Outcome], *, dry_run: bool, noun: str = "objects") -> None:
    """Raise the 422 problem ``apply-incomplete`` with all outcomes if one is not done; ``noun`` is a word for them."""
    missed = [outcome for outcome in outcomes if not outcome.done]
    if not missed:
        return
    first = next((outcome for outcome in missed if outcome.problem), missed[0])
    which = f"{first.type}/{first.id}" if first.type or first.id else f"document {first.index}"
    why = f" The first: {which}: {first.problem.detail}" if first.problem else ""
    text = f"{len(missed)} of {len(outcomes)} {noun} were not applied.{why}"
    raise Problem(422, "apply-incomplete", text, extra=summary(outcomes, dry_run=dry_run))
