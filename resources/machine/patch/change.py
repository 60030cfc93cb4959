"""A PATCH of a machine: labels, lock and extensions, in three of Omni's objects, all or none.

Everything is checked before the first write. If a later write fails all the same, the earlier ones are undone: Omni has
no transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from omni_gateway.sdk import (
    FieldErrors,
    OmniClient,
    Problem,
    Resource,
)
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.adapters import STALE
from omni_gateway.sdk.omni import OmniError, omni_deadline, types
from resources.machine.join import Machine
from resources.machine.patch import extensions, lock, user_labels

#: Time for undoing one step, even if the request's own deadline has passed.
UNDO_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """One write, named after the PATCH member it implements, and the write that undoes it."""

    name: str
    do: Callable[[], None]
    undo: Callable[[], None]


def check_change(omni: OmniClient, existing: Machine, wanted: Resource) -> None:
    """Raise 422 with every wrong field, else 409 for a change that the machine's state does not allow."""
    refusals = FieldErrors()
    if wanted.annotations != existing.annotations:
        refusals.add("annotations", "A machine's annotations are Omni's own; use labels.")
    user_labels.check(omni, existing, wanted, refusals)
    extensions.check_names(omni, existing, wanted, refusals)
    refusals.raise_if_any()
    extensions.check_state(existing, wanted)
    lock.check(omni, existing, wanted)


def write_change(omni: OmniClient, wanted: Machine) -> None:
    """Write the differences to the machine's parts as they were read, in the order labels, lock, extensions."""
    users = user_labels.read_once(omni, wanted)
    labels = user_labels.to_write(wanted, users)

    def restore_labels() -> None:
        user_labels.write(omni, wanted.id, user_labels.read(omni, wanted.id), user_labels.opposite(labels, users))

    run(
        [
            Step("labels", lambda: user_labels.write(omni, wanted.id, users, labels), restore_labels),
            Step("maintenance", lambda: lock.write(omni, wanted), lambda: lock.restore(omni, wanted)),
            Step("extensions", lambda: extensions.write(omni, wanted), _nothing),
        ]
    )
    if labels:
        wanted.read_for_write[types.MACHINE_STATUSES] = user_labels.wait_until_shown(omni, wanted.id, labels)


def _nothing() -> None:
    """Undo nothing: no step comes after the last."""


def run(steps: Sequence[Step]) -> None:
    """Run the steps in order; if one fails, undo those before it, last one first, and raise its error.

    The problem names the steps that could not be undone, so that the caller knows what has changed.
    """
    done: list[Step] = []
    for step in steps:
        try:
            step.do()
        except (OmniError, Problem) as error:
            not_undone = [earlier.name for earlier in reversed(done) if not _undone(earlier)]
            if not_undone and not isinstance(error, STALE):
                raise _half_done(error, step.name, not_undone) from error
            raise
        done.append(step)


def _undone(step: Step) -> bool:
    try:
        with omni_deadline.at_least(UNDO_SECONDS):
            step.undo()
    except (OmniError, Problem):
        return False
    return True


def _half_done(error: OmniError | Problem, failed: str, not_undone: Sequence[str]) -> Problem:
    problem = problem_for(error) if isinstance(error, OmniError) else error
    problem.detail = (
        f"{failed} could not be written ({problem.detail}), and what had been written of {', '.join(not_undone)}"
        " could not be undone."
    )
    return problem
