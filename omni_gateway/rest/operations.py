"""Long work: an operation is derived from the back end's own state, so any replica can tell how far it is."""

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
from omni_gateway.omni import OmniClient
from omni_gateway.rest.links import API_PREFIX, object_url
from omni_gateway.rest.schema import SpecSchema

State = Literal["running", "succeeded", "failed", "unknown"]
STATES: tuple[str, ...] = get_args(State)
StageState = Literal["pending", "running", "succeeded", "failed", "unknown"]
STAGE_STATES: tuple[str, ...] = get_args(StageState)
POLL_SECONDS = 0.25
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of long work."""

    name: str
    state: StageState

    def document(self) -> dict[str, Any]:
        """Return the stage as callers read it."""
        return {"name": self.name, "state": self.state}


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """A machine that long work waits for. ``connected`` None: not looked at."""

    machine: str
    reason: str
    connected: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return the machine as callers read it."""
        return {
            "machine": self.machine,
            "reason": self.reason,
            "connected": self.connected,
            "url": object_url("machines", self.machine),
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """How far some long work is.

    ``progress`` is text for people; ``details`` is the back end's own status; ``started`` is when the work began (RFC
    3339; None where the back end keeps no record of it); ``hint`` says what to do about work that failed, waits for
    something, or whose outcome is ``unknown``. ``mark`` follows the id in the operation's URL, where ``id`` itself is
    to stay that of the object: ``read`` and ``subject`` of the kind get both.
    """

    kind: str
    id: str
    state: State
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
        """Whether the work has ended: well, badly, or without evidence of how."""
        return self.state != "running"

    @property
    def url(self) -> str:
        """Return the operation's own address."""
        return object_url("operations", self.kind, self.id + self.mark)

    def document(self) -> dict[str, Any]:
        """Return the operation as callers read it."""
        links = {"self": self.url} | ({"target": self.target} if self.target else {})
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


class StageSchema(SpecSchema):
    """One step of long work."""

    name = fields.String()
    state = fields.String(metadata={"enum": list(STAGE_STATES)})


class WaitingForSchema(SpecSchema):
    """A machine that long work waits for."""

    machine = fields.String(metadata={"description": "Its id"})
    reason = fields.String(metadata={"description": "For people; do not parse"})
    connected = fields.Boolean(allow_none=True, metadata={"description": "Whether Omni can reach it; null: not known"})
    url = fields.String()


class OperationSchema(SpecSchema):
    """Long work and how far it is; derived from Omni's own status, so any replica can answer."""

    kind = fields.String(metadata={"description": "What is being done, e.g. `cluster-destroy`"})
    id = fields.String()
    state = fields.String(
        metadata={
            "enum": list(STATES),
            "description": "`unknown`: it has ended or was given up, and Omni shows no evidence of how; `hint` says"
            " what to look at",
        }
    )
    done = fields.Boolean(metadata={"description": "Whether it has ended, in whatever state"})
    started = fields.String(
        allow_none=True, metadata={"format": "date-time", "description": "null: Omni keeps no record of it"}
    )
    progress = fields.String(metadata={"description": "For people; do not parse"})
    error = fields.String()
    hint = fields.String(metadata={"description": "What to do, or to look at"})
    stages = fields.List(fields.Nested(StageSchema), metadata={"description": "The steps, in order"})
    waiting_for = fields.List(
        fields.Nested(WaitingForSchema), metadata={"description": "The machines that it waits for"}
    )
    details = fields.Dict(metadata={"description": "Omni's own status of the work"})
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={"additionalProperties": {"type": "string"}},
    )


@dataclass(frozen=True, slots=True)
class OperationKind:
    """One sort of long work: its name in URLs and how to read its state.

    ``read(omni, id)`` raises the back end's not-found error when there is no such work. ``subject`` tells, from the
    operation's id, that of the object that is worked on, by which a caller may ask or may not; the default: the same.
    ``under_way(omni)`` finds the work of this kind in the back end's state; None: the back end keeps no trace of it
    that does not need the operation's id. ``role`` is the least role that may read operations of this kind; the default
    is the one that reading the plugin's own objects takes. Neither function ever writes: a GET calls them, and no audit
    entry is made for one.
    """

    name: str
    read: Callable[[OmniClient, str], Operation]
    summary: str = ""
    subject: Callable[[str], str] = str
    role: Role | None = None
    under_way: Callable[[OmniClient], Iterable[Operation]] | None = None


def stages_in_order(steps: Sequence[tuple[str, bool]], state: State) -> tuple[Stage, ...]:
    """Return the stages of work that does one step after the other; ``state`` is that of the whole.

    The first step that is not done is the one at work, or the one that failed.
    """
    if state == "succeeded":
        return tuple(Stage(name, "succeeded") for name, _ in steps)
    stages: list[Stage] = []
    at_work = False
    for name, done in steps:
        if done:
            stages.append(Stage(name, "succeeded"))
        else:
            stages.append(Stage(name, "pending" if at_work else state))
            at_work = True
    return tuple(stages)


def seconds_since(moment: str | None) -> float:
    """Return the seconds since a moment (RFC 3339); 0 without one, or where it cannot be read."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() if moment else 0.0
    except (ValueError, TypeError):
        return 0.0


def unknown_after(operation: Operation, seconds: float, hint: str) -> Operation:
    """Return running work as ``unknown`` once it has run for longer than ``seconds`` without evidence of its end."""
    if operation.done or seconds_since(operation.started) <= seconds:
        return operation
    at_work: StageState = "unknown"
    stages = tuple(replace(stage, state=at_work) if stage.state == "running" else stage for stage in operation.stages)
    progress = f"No evidence of its end after {seconds / 60:g} minutes. {operation.progress}".strip()
    return replace(operation, state="unknown", progress=progress, hint=hint, stages=stages)


def wait_until_done(read: Callable[[], Operation], seconds: float) -> Operation:
    """Read until the operation is done or ``seconds`` have passed."""
    return _wait(read, seconds, lambda first, current: current.done)


def wait_for_change(read: Callable[[], Operation], seconds: float) -> Operation:
    """Read until the operation is done, differs from the first reading, or ``seconds`` have passed."""
    return _wait(read, seconds, lambda first, current: current.done or current != first)


def _wait(read: Callable[[], Operation], seconds: float, enough: Callable[[Operation, Operation], bool]) -> Operation:
    first = current = read()
    deadline = time.monotonic() + seconds
    while not enough(first, current) and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, left))
        current = read()
    return current


@contextmanager
def progress_of(read: Callable[[], Operation]) -> Iterator[Iterator[Operation]]:
    """Open a stream of an operation: how it is, then each change, until it is done or the context is left."""
    left = threading.Event()

    def readings() -> Iterator[Operation]:
        last = read()
        yield last
        while not last.done and not left.wait(POLL_SECONDS):
            current = read()
            if current != last:
                yield current
            last = current

    try:
        yield readings()
    finally:
        left.set()


OPERATIONS_URL = f"{API_PREFIX}/operations"
OPERATION_KINDS_URL = f"{API_PREFIX}/operation-kinds"
