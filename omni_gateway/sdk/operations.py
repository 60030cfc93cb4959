"""Long work: an operation is derived from the back end's own state, so any replica can tell how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.omni import OmniClient
from omni_gateway.sdk.links import API_PREFIX, object_url
from omni_gateway.sdk.schema import SpecSchema

State = Literal["running", "succeeded", "failed"]
POLL_SECONDS = 0.25
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Operation:
    """How far some long work is. ``progress`` is text for people; ``details`` is the back end's own status."""

    kind: str
    id: str
    state: State
    progress: str = ""
    error: str = ""
    target: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the work has ended, well or badly."""
        return self.state != "running"

    @property
    def url(self) -> str:
        """Return the operation's own address."""
        return object_url("operations", self.kind, self.id)

    def document(self) -> dict[str, Any]:
        """Return the operation as callers read it."""
        links = {"self": self.url} | ({"target": self.target} if self.target else {})
        return {
            "kind": self.kind,
            "id": self.id,
            "state": self.state,
            "done": self.done,
            "progress": self.progress,
            "error": self.error,
            "details": dict(self.details),
            "_links": links,
        }


class OperationSchema(SpecSchema):
    """Long work and how far it is; derived from Omni's own status, so any replica can answer."""

    kind = fields.String(metadata={"description": "What is being done, e.g. `cluster-destroy`"})
    id = fields.String()
    state = fields.String(metadata={"enum": ["running", "succeeded", "failed"]})
    done = fields.Boolean()
    progress = fields.String(metadata={"description": "For people; do not parse"})
    error = fields.String()
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
    ``role`` is the least role that may read operations of this kind; the default is the one that reading the plugin's
    own objects takes. ``read`` never writes: a GET calls it, and no audit entry is made for one.
    """

    name: str
    read: Callable[[OmniClient, str], Operation]
    summary: str = ""
    subject: Callable[[str], str] = str
    role: Role | None = None


def wait_for_change(read: Callable[[], Operation], seconds: float) -> Operation:
    """Read until the operation is done, differs from the first reading, or ``seconds`` have passed."""
    first = current = read()
    deadline = time.monotonic() + seconds
    while not current.done and current == first and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, left))
        current = read()
    return current


OPERATIONS_URL = f"{API_PREFIX}/operations"
