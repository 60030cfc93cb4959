"""Write and remove the planned objects; an atomic request reverts earlier writes when one fails."""

from __future__ import annotations

import logging
from dataclasses import replace

from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniError, deadline
from omni_gateway.omni.outcomes import holds, may_have_been_applied
from omni_gateway.rest.apply.outcomes import Outcome
from omni_gateway.rest.apply.plan import Lost, Plan
from omni_gateway.rest.errors import MISSING, STALE
from omni_gateway.rest.update import update

log = logging.getLogger(__name__)

#: The least time for reverting one write, even if the request's deadline has passed.
REVERT_SECONDS = 5.0


def write_each(plan: Plan) -> None:
    """Write every object that can be written; those that depend on a failed or skipped one are skipped.

    Objects are removed only if everything was written: what is removed may be what the rest was to replace.
    """
    lost = Lost(plan.outcomes)
    for outcome in plan.pending():
        if outcome.document is not None and not lost.skips(outcome):
            _write(plan, outcome)
        elif outcome.document is None and all(each.done for each in plan.outcomes):
            _remove(plan, outcome)
        elif outcome.document is None and outcome.action == "destroyed":
            outcome.action = "not-written"
        lost.add(outcome)


def write_all_or_nothing(plan: Plan) -> None:
    """Write and remove every object, or none.

    Nothing is written if the plan has found a problem. If a write fails, earlier writes are reverted in reverse order.
    A removal that Omni has accepted cannot be reverted: if a later one fails, nothing is.
    """
    pending = plan.pending()
    if any(outcome.action == "not-written" for outcome in pending):
        return
    written: list[Outcome] = []
    for position, outcome in enumerate(pending):
        if outcome.document is None:
            _remove(plan, outcome)
        else:
            _write(plan, outcome)
        if outcome.problem is not None:
            _mark_not_written(pending[position + 1 :])
            if any(earlier.document is None for earlier in written):
                return
            if outcome.uncertain:
                with deadline.at_least(REVERT_SECONDS):
                    _revert_uncertain(plan, outcome)
            for earlier in reversed(written):
                with deadline.at_least(REVERT_SECONDS):
                    _revert(plan, earlier)
            return
        if outcome.action != "unchanged":
            written.append(outcome)


def _mark_not_written(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        outcome.action = "not-written"


def _write(plan: Plan, outcome: Outcome) -> None:
    """Write one document; an error of Omni's becomes its problem."""
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
        except STALE:
            # Omni's controllers write the object too; `update` reads the new version and tries again.
            update(adapter, outcome.id, document.over)
    except OmniError as error:
        outcome.fail(problem_for(error))
        outcome.uncertain = may_have_been_applied(error)
    except Problem as problem:
        outcome.fail(problem)


def _remove(plan: Plan, outcome: Outcome) -> None:
    """Start the removal of one object; an error of Omni's becomes its problem."""
    if outcome.action == "unchanged":
        return
    assert outcome.before is not None
    try:
        plan.adapter(outcome).delete(outcome.before)
    except OmniError as error:
        outcome.fail(problem_for(error))
    except Problem as problem:
        outcome.fail(problem)


def _over(existing: Resource, wanted: Resource) -> Resource:
    return replace(existing, spec=wanted.spec, labels=wanted.labels, annotations=wanted.annotations)


def _revert_uncertain(plan: Plan, outcome: Outcome) -> None:
    """Revert a write that ended without a response, if Omni's object shows that it was applied.

    If the object cannot be read, the outcome's problem says so.
    """
    assert outcome.after is not None and outcome.problem is not None
    adapter, problem = plan.adapter(outcome), outcome.problem
    try:
        now = adapter.get(outcome.id)
    except MISSING:
        if outcome.before is not None:
            problem.detail = f"{problem.detail} The object does not exist any more."
        return
    except (OmniError, Problem):
        problem.detail = f"{problem.detail} It may have been written; it could not be read in order to revert it."
        return
    if not _same(now, outcome.after):
        return
    outcome.action = "created" if outcome.before is None else "updated"
    _revert(plan, outcome)


def _same(one: Resource, other: Resource) -> bool:
    return (
        (one.labels, one.annotations) == (other.labels, other.annotations)
        and holds(one.spec, other.spec)
        and holds(other.spec, one.spec)
    )


def _revert(plan: Plan, outcome: Outcome) -> None:
    """Revert one write: remove a new object, or write the previous content of an existing one.

    A failure is logged and becomes the outcome's problem.
    """
    adapter, before = plan.adapter(outcome), outcome.before
    try:
        if before is None:
            assert outcome.document is not None
            adapter.delete(outcome.document.wanted if adapter.unreadable else adapter.get(outcome.id))
        else:
            update(adapter, outcome.id, lambda existing: _over(existing, before))
        outcome.action = "taken-back"
    except (OmniError, Problem) as error:
        log.warning("apply could not revert %s %s: %s", outcome.type, outcome.id, type(error).__name__)
        problem = problem_for(error) if isinstance(error, OmniError) else error
        outcome.problem = Problem(
            problem.status, problem.code, f"It was {outcome.action} and could not be reverted: {problem.detail}"
        )
