"""Write what is planned; when all or nothing is asked for, take back what was written before one failed."""

from __future__ import annotations

import logging
from dataclasses import replace

from omni_gateway.api.apply.outcomes import Outcome
from omni_gateway.api.apply.plan import Lost, Plan
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniError, deadline
from omni_gateway.omni.outcomes import holds, may_have_been_applied
from omni_gateway.rest.errors import MISSING, STALE
from omni_gateway.rest.update import change

log = logging.getLogger(__name__)

#: For taking one write back, also when the request's time is over; a silent Omni ends it at once.
TAKE_BACK_SECONDS = 5.0


def write_each(plan: Plan) -> None:
    """Write every document that can be written; one that needs what failed is skipped, and so on."""
    lost = Lost(plan.outcomes)
    for outcome in plan.pending():
        if not lost.skips(outcome):
            _write(plan, outcome)
        lost.add(outcome)


def write_all_or_nothing(plan: Plan) -> None:
    """Write every document, or none: what is wrong is found before the first write as far as it can be known."""
    pending = plan.pending()
    if any(outcome.action == "not-written" for outcome in pending):
        return
    written: list[Outcome] = []
    for position, outcome in enumerate(pending):
        _write(plan, outcome)
        if outcome.problem is not None:
            _leave(pending[position + 1 :])
            if outcome.uncertain:
                with deadline.at_least(TAKE_BACK_SECONDS):
                    _take_back_uncertain(plan, outcome)
            for earlier in reversed(written):
                with deadline.at_least(TAKE_BACK_SECONDS):
                    _take_back(plan, earlier)
            return
        if outcome.action != "unchanged":
            written.append(outcome)


def _leave(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        outcome.action = "not-written"


def _write(plan: Plan, outcome: Outcome) -> None:
    """Write one document; Omni's refusal is its problem."""
    document, after = outcome.document, outcome.after
    assert document is not None and after is not None
    if outcome.action == "unchanged":
        return
    adapter = plan.adapter(outcome)
    try:
        if outcome.before is None:
            adapter.create(after, {})
            return
        try:
            adapter.replace(after)
        except STALE:  # Omni's controllers write too; the loop reads again
            change(adapter, outcome.id, document.over)
    except OmniError as error:
        outcome.fail(problem_for(error))
        outcome.uncertain = may_have_been_applied(error)
    except Problem as problem:
        outcome.fail(problem)


def _over(existing: Resource, wanted: Resource) -> Resource:
    return replace(existing, spec=wanted.spec, labels=wanted.labels, annotations=wanted.annotations)


def _take_back_uncertain(plan: Plan, outcome: Outcome) -> None:
    """Look whether a write without an answer was done, and undo it then; tell where that cannot be known."""
    assert outcome.after is not None and outcome.problem is not None
    adapter, problem = plan.adapter(outcome), outcome.problem
    try:
        now = adapter.get(outcome.id)
    except MISSING:
        if outcome.before is not None:
            problem.detail = f"{problem.detail} It is not there any more."
        return
    except (OmniError, Problem):
        problem.detail = f"{problem.detail} It may have been written, and could not be looked at to take it back."
        return
    if not _same(now, outcome.after):
        return
    outcome.action = "created" if outcome.before is None else "updated"
    _take_back(plan, outcome)


def _same(one: Resource, other: Resource) -> bool:
    return (
        (one.labels, one.annotations) == (other.labels, other.annotations)
        and holds(one.spec, other.spec)
        and holds(other.spec, one.spec)
    )


def _take_back(plan: Plan, outcome: Outcome) -> None:
    """Undo one write: tear down what is new, write back what was there; what cannot be undone is told."""
    adapter, before = plan.adapter(outcome), outcome.before
    try:
        if before is None:
            assert outcome.document is not None
            adapter.delete(outcome.document.wanted if adapter.unreadable else adapter.get(outcome.id))
        else:
            change(adapter, outcome.id, lambda existing: _over(existing, before))
        outcome.action = "taken-back"
    except (OmniError, Problem) as error:
        log.warning("apply could not take back %s %s: %s", outcome.type, outcome.id, type(error).__name__)
        problem = problem_for(error) if isinstance(error, OmniError) else error
        outcome.problem = Problem(
            problem.status, problem.code, f"It was {outcome.action} and could not be taken back: {problem.detail}"
        )
