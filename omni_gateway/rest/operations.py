"""Operations (long-running work). They are derived from the back end's own state, so any replica can read them.

The only exception is a bulk operation, which is a record in the store (:mod:`omni_gateway.rest.bulk`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.rest.links import API_PREFIX, object_url
from omni_gateway.rest.schema import SpecSchema

#: The states of an operation: running, succeeded, failed, unknown.
State = Literal["running", "succeeded", "failed", "unknown"]
STATES: tuple[str, ...] = get_args(State)
PLANNED: Literal["planned"] = "planned"
StageState = Literal["pending", "running", "succeeded", "failed", "unknown"]
STAGE_STATES: tuple[str, ...] = get_args(StageState)
POLL_SECONDS = 0.25
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of an operation."""

    name: str
    state: StageState

    def document(self) -> dict[str, Any]:
        """Return the stage as JSON members."""
        return {"name": self.name, "state": self.state}


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """A machine that an operation waits for.

    :param machine: its id.
    :param reason: why, for people.
    :param connected: whether Omni can reach it; None if that was not checked.
    """

    machine: str
    reason: str
    connected: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return the machine as JSON members."""
        return {
            "machine": self.machine,
            "reason": self.reason,
            "connected": self.connected,
            "url": object_url("machines", self.machine),
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """The state of an operation.

    :param kind: the name of its :class:`OperationKind`.
    :param id: the id of the object that it works on.
    :param state: ``running``, ``succeeded``, ``failed`` or ``unknown``; ``planned`` in the answer to a dry run.
    :param progress: text for people.
    :param error: why it failed.
    :param target: the URL of the object.
    :param details: the back end's own status.
    :param started: when it began (RFC 3339); None if the back end has no record of it.
    :param stages: its steps, in order.
    :param waiting_for: the machines that it waits for.
    :param hint: what to do if it failed, waits, or its outcome is ``unknown``.
    :param mark: text that follows the id in the operation's URL, to tell operations on one object apart; ``read`` and
        ``subject`` of the kind get both as one id.
    """

    kind: str
    id: str
    state: State | Literal["planned"]
    progress: str = ""
    error: str = ""
    target: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    started: str | None = None
    stages: Sequence[Stage] = ()
    waiting_for: Sequence[WaitingFor] = ()
    hint: str = ""
    mark: str = ""

    @property
    def done(self) -> bool:
        """True if the operation has ended: succeeded, failed, or without evidence of its outcome."""
        return self.state not in ("running", PLANNED)

    @property
    def url(self) -> str:
        """Return the operation's URL, without a host."""
        return object_url("operations", self.kind, self.id + self.mark)

    def document(self) -> dict[str, Any]:
        """Return the operation as JSON members."""
        # A planned operation has no URL: there is nothing to read.
        links = {} if self.state == PLANNED else {"self": self.url}
        if self.target:
            links["target"] = self.target
        return {
            "kind": self.kind,
            "id": self.id,
            "state": self.state,
            "done": self.done,
            "started": self.started,
            "progress": self.progress,
            "error": self.error,
            "hint": self.hint,
            "stages": [stage.document() for stage in self.stages],
            "waiting_for": [machine.document() for machine in self.waiting_for],
            "details": dict(self.details),
            "_links": links,
        }


def planned(kind: str, id: str, target: str | None) -> Operation:
    """Return the operation that a request would start, for the answer to its dry run."""
    return Operation(kind, id, PLANNED, "Not started: this is a dry run.", target=target)


class StageSchema(SpecSchema):
    """One step of an operation."""

    name = fields.String(metadata={"description": "Name of the step, for people", "example": "machines wiped"})
    state = fields.String(
        metadata={
            "description": "Where the step stands; `unknown`: Omni shows no evidence of its outcome",
            "example": "running",
            "enum": list(STAGE_STATES),
        }
    )


class WaitingForSchema(SpecSchema):
    """A machine that an operation waits for."""

    machine = fields.String(
        metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"}
    )
    reason = fields.String(
        metadata={
            "description": "Why the operation waits for the machine; for people, do not parse",
            "example": "not wiped yet",
        }
    )
    connected = fields.Boolean(
        allow_none=True,
        metadata={"description": "Whether Omni can reach the machine; null: not known", "example": True},
    )
    url = fields.String(
        metadata={
            "description": "Relative URL of the machine",
            "example": "/api/v1/machines/2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        }
    )


class OperationSchema(SpecSchema):
    """An operation: long-running work and its progress, derived from Omni's own status."""

    kind = fields.String(
        metadata={
            "description": "Kind of the operation, as `/operation-kinds` lists them, e.g. `cluster-destroy`",
            "example": "cluster-destroy",
        }
    )
    id = fields.String(
        metadata={
            "description": "Id of the object that the operation works on",
            "example": "my-cluster",
        }
    )
    state = fields.String(
        metadata={
            "enum": [*STATES, PLANNED],
            "description": "`unknown`: it has ended or was given up, and Omni shows no evidence of its outcome; `hint`"
            " names what to check. `planned`: the answer to a dry run; it was not started and cannot be read",
            "example": "running",
        }
    )
    done = fields.Boolean(
        metadata={"description": "Whether the operation has ended, in whatever state", "example": False}
    )
    started = fields.String(
        allow_none=True,
        metadata={
            "format": "date-time",
            "description": "When the operation began; null: Omni has no record of it",
            "example": "2026-08-21T10:00:00Z",
        },
    )
    progress = fields.String(
        metadata={
            "description": "Where the operation stands, for people; do not parse",
            "example": "Destroying: 2 machine sets, 3 machines",
        }
    )
    error = fields.String(
        metadata={"description": "Why the operation failed; empty unless `state` is `failed`", "example": ""}
    )
    hint = fields.String(
        metadata={
            "description": "What to do if the operation failed or waits, or what to check if its outcome is unknown",
            "example": "",
        }
    )
    stages = fields.List(
        fields.Nested(StageSchema),
        metadata={"description": "The steps of the operation, in order; empty for kinds without steps"},
    )
    waiting_for = fields.List(
        fields.Nested(WaitingForSchema), metadata={"description": "The machines that the operation waits for now"}
    )
    details = fields.Dict(
        metadata={
            "description": "Omni's own status of the work",
            "example": {"finalizers": ["ClusterStatusController"]},
        }
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={
            "description": "Relative URLs of the operation (`self`) and of the object (`target`)",
            "example": {
                "self": "/api/v1/operations/cluster-destroy/my-cluster",
                "target": "/api/v1/clusters/my-cluster",
            },
            "additionalProperties": {"type": "string"},
        },
    )


@dataclass(frozen=True, slots=True)
class OperationKind:
    """A kind of operation: its name in URLs and how to read its state.

    :param name: its name in URLs; unique among all kinds.
    :param read: called as ``read(omni, id)``, or with ``takes_adapter`` as ``read(adapter, id)``; returns the
        operation, raises the back end's not-found error if there is none.
    :param summary: one line for people.
    :param subject: returns, for an operation's id, the id of the object that it works on; the caller's scope is checked
        against that object. By default the same id.
    :param role: the role that reading such an operation needs; by default that of reading the plugin's own objects.
    :param under_way: called as ``under_way(omni)``, or as ``under_way(adapter)``; returns the running operations of
        this kind. None if they cannot be found in the back end's state without their ids.
    :param takes_adapter: True to call both functions with the plugin's adapter, which has its settings, its tables, the
        gateway's store and, as ``adapter.omni``, the client. For an object that the caller may not read ``read`` is
        not called then; the response is 404.

    Both functions are called for GET requests, which are not audited, so neither may write.
    """

    name: str
    read: Callable[[Any, str], Operation]
    summary: str = ""
    subject: Callable[[str], str] = str
    role: Role | None = None
    under_way: Callable[[Any], Iterable[Operation]] | None = None
    takes_adapter: bool = False


def stages_in_order(steps: Sequence[tuple[str, bool]], state: State) -> tuple[Stage, ...]:
    """Return the stages of an operation whose steps run one after the other.

    :param steps: pairs of a step's name and whether it is done.
    :param state: the state of the operation; the first step that is not done gets it, later ones are ``pending``.
    """
    if state == "succeeded":
        return tuple(Stage(name, "succeeded") for name, _ in steps)
    stages: list[Stage] = []
    current_found = False
    for name, done in steps:
        if done:
            stages.append(Stage(name, "succeeded"))
        else:
            stages.append(Stage(name, "pending" if current_found else state))
            current_found = True
    return tuple(stages)


def seconds_since(moment: str | None) -> float:
    """Return the seconds since a time (RFC 3339); 0 for None and for an invalid text."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() if moment else 0.0
    except (ValueError, TypeError):
        return 0.0


def unknown_after(operation: Operation, seconds: float, hint: str) -> Operation:
    """Return a running operation with the state ``unknown`` if it started more than ``seconds`` ago.

    Other operations are returned unchanged. ``hint`` is what to check then.
    """
    if operation.done or seconds_since(operation.started) <= seconds:
        return operation
    unknown: StageState = "unknown"
    stages = tuple(replace(stage, state=unknown) if stage.state == "running" else stage for stage in operation.stages)
    progress = f"No evidence of its end after {seconds / 60:g} minutes. {operation.progress}".strip()
    return replace(operation, state="unknown", progress=progress, hint=hint, stages=stages)


def wait_until_done(read: Callable[[], Operation], seconds: float) -> Operation:
    """Poll ``read`` until the operation is done or ``seconds`` have passed; return the last reading."""
    return _wait(read, seconds, lambda first, current: current.done)


def wait_for_change(read: Callable[[], Operation], seconds: float) -> Operation:
    """Poll ``read`` until the operation is done or changes, or ``seconds`` have passed; return the last reading."""
    return _wait(read, seconds, lambda first, current: current.done or current != first)


def _wait(read: Callable[[], Operation], seconds: float, enough: Callable[[Operation, Operation], bool]) -> Operation:
    first = current = read()
    deadline = time.monotonic() + seconds
    while not enough(first, current) and (remaining := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, remaining))
        current = read()
    return current


@contextmanager
def progress_of(read: Callable[[], Operation]) -> Iterator[Iterator[Operation]]:
    """Return a context manager around an iterator of an operation's states: the present one, then each change.

    The iterator ends when the operation is done or the context is left, which may happen in another thread.
    """
    closed = threading.Event()

    def readings() -> Iterator[Operation]:
        last = read()
        yield last
        while not last.done and not closed.wait(POLL_SECONDS):
            current = read()
            if current != last:
                yield current
            last = current

    try:
        yield readings()
    finally:
        closed.set()


OPERATIONS_URL = f"{API_PREFIX}/operations"
OPERATION_KINDS_URL = f"{API_PREFIX}/operation-kinds"
