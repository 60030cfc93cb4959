"""The record of a bulk operation in the store: its objects, and their outcomes so far."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

import orjson

from omni_gateway.auth import Principal, Role, Scope
from omni_gateway.http.encryption import decrypt, encrypt
from omni_gateway.http.internal_requests import Origin
from omni_gateway.model.resource import Resource
from omni_gateway.rest.links import API_PREFIX, object_url
from omni_gateway.rest.operations import Operation, Stage, StageState
from omni_gateway.store import Store
from omni_gateway.store.documents import Document

#: The name of the operation kind.
KIND = "bulk"
COLLECTION = "bulk-operations"

Verb = Literal["patch", "delete", "action"]
Phase = Literal["checking", "writing", "reverting", "ended"]
Action = Literal["pending", "updated", "deleted", "done", "started", "failed", "not-written", "reverted", "unknown"]
#: The actions of an outcome that is as the caller wanted.
DONE: frozenset[Action] = frozenset({"updated", "deleted", "done", "started"})


class Superseded(Exception):
    """Another process has changed the record: it continues the operation."""


@dataclass(slots=True)
class Outcome:
    """The outcome of one object.

    ``operation`` is the URL of the operation that its request has started, ``diff`` the change of a dry run.
    """

    action: Action = "pending"
    problem: Mapping[str, Any] | None = None
    operation: str = ""
    diff: Sequence[Mapping[str, Any]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON members; those without a value are left out."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class Work:
    """The parameters of a bulk request, without its objects and its body.

    :param resource: the name of the plugin whose objects it concerns, or ``resources`` with a ``type``.
    :param action: the name of the action; empty for PATCH and DELETE.
    :param query: the query of each object's request.
    :param most_failures: stop after so many; 0: never.
    :param type: the full name of the Omni type whose objects it concerns; empty for those of a plugin.
    """

    resource: str
    verb: Verb
    action: str = ""
    query: str = ""
    media_type: str = ""
    atomic: bool = False
    parallelism: int = 1
    most_failures: int = 0
    type: str = ""

    @property
    def method(self) -> str:
        """Return the HTTP method of each object's request."""
        return {"patch": "PATCH", "delete": "DELETE", "action": "POST"}[self.verb]

    @property
    def collection(self) -> str:
        """Return the collection of the objects, as URLs have it after the prefix."""
        return f"{self.resource}/{self.type}" if self.type else self.resource

    def path(self, id: str) -> str:
        """Return the path of one object's request, encoded as in a URL."""
        return object_url(self.collection, id) + (f"/actions/{self.action}" if self.action else "")


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a bulk request, as far as the store may know it: not the key of one with an Omni key of its own."""

    id: str
    name: str
    role: str | None
    method: str
    clusters: Sequence[str] | None
    expires: str | None

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """Return what is stored of a caller."""
        role = principal.role.value if principal.role else None
        expires = principal.expires.isoformat() if principal.expires else None
        return cls(principal.id, principal.name, role, principal.method, principal.scope.patterns, expires)

    def principal(self) -> Principal:
        """Return the caller as it was when the request came; without its own Omni key."""
        return Principal(
            self.name,
            Role(self.role) if self.role else None,
            self.id,
            self.method,  # type: ignore[arg-type]
            Scope(None if self.clusters is None else tuple(self.clusters)),
            datetime.fromisoformat(self.expires) if self.expires else None,
        )


@dataclass(slots=True)
class BulkRecord:
    """One bulk operation.

    :param begun: the objects before this position have been begun: those without an outcome may have been written.
    :param sealed: the body of the request, encrypted with the gateway's Omni key: it may contain secrets.
    :param before: of an atomic request, the contents of the objects before it, encrypted likewise.
    :param reason: why it has ended before all objects were done; empty if it has not.
    """

    id: str
    work: Work
    caller: Caller
    origin: Origin
    ids: Sequence[str]
    outcomes: list[Outcome]
    phase: Phase
    created: str
    begun: int = 0
    sealed: str = ""
    before: str = ""
    reason: str = ""
    version: int = field(default=1, compare=False)

    @classmethod
    def new(cls, id: str, work: Work, principal: Principal, origin: Origin, ids: Sequence[str]) -> Self:
        """Return the record of a request that has just come."""
        phase: Phase = "checking" if work.atomic else "writing"
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return cls(id, work, Caller.of(principal), origin, ids, [Outcome() for _ in ids], phase, moment)

    @classmethod
    def read(cls, document: Document) -> Self:
        """Return the record of a stored document."""
        spec = dict(document.spec)
        return cls(
            **{
                **spec,
                "work": Work(**spec["work"]),
                "caller": Caller(**spec["caller"]),
                "origin": Origin(**spec["origin"]),
                "outcomes": [Outcome(**each) for each in spec["outcomes"]],
            },
            id=document.id,
            version=document.version,
        )

    def _spec(self) -> dict[str, Any]:
        return {
            "work": asdict(self.work),
            "caller": asdict(self.caller),
            "origin": self.origin.to_dict(),
            "ids": list(self.ids),
            "outcomes": [each.to_dict() for each in self.outcomes],
            "phase": self.phase,
            "created": self.created,
            "begun": self.begun,
            "sealed": self.sealed,
            "before": self.before,
            "reason": self.reason,
        }

    def create(self, store: Store) -> None:
        """Store the new record."""
        if not store.documents.create(COLLECTION, self.id, self._spec(), {}, {}):
            raise Superseded(self.id)

    def save(self, store: Store) -> None:
        """Store the record. Raises :class:`Superseded` if another process has changed it since it was read."""
        if not store.documents.replace(COLLECTION, self.id, self.version, self._spec(), {}, {}):
            raise Superseded(self.id)
        self.version += 1

    def end(self, reason: str = "") -> None:
        """End the operation; objects without an outcome yet are not written."""
        for outcome in self.outcomes:
            if outcome.action == "pending":
                outcome.action = "not-written"
        self.phase, self.reason = "ended", reason
        self.sealed = self.before = ""  # nothing needs them any more

    def seal(self, content: bytes, key: str) -> str:
        """Return content that may be secret as it is stored; empty without a key."""
        return base64.b64encode(encrypt(content, key, self.id)).decode() if key else ""

    def unseal(self, text: str, key: str) -> bytes | None:
        """Return sealed content; None if the key is another one."""
        return decrypt(base64.b64decode(text), key, self.id) if text and key else None

    def seal_before(self, resources: Sequence[Resource], key: str) -> None:
        """Keep the objects as they are before the write."""
        content = orjson.dumps([[each.spec, each.labels, each.annotations] for each in resources])
        self.before = self.seal(content, key)

    def unseal_before(self, key: str) -> list[Resource] | None:
        """Return the objects as they were before the write; None if they cannot be read."""
        content = self.unseal(self.before, key)
        if content is None:
            return None
        parts = zip(self.ids, orjson.loads(content), strict=True)
        return [Resource(id, spec, labels, annotations) for id, (spec, labels, annotations) in parts]

    def operation(self) -> Operation:
        """Return the operation as callers read it."""
        counts = Counter(outcome.action for outcome in self.outcomes)
        missed = len(self.ids) - sum(counts[action] for action in DONE)
        failure = next((each.problem for each in self.outcomes if each.problem is not None), None)
        running = self.phase != "ended"
        error = ""
        if not running and missed:
            first = f" The first: {failure['detail']}" if failure else ""
            error = self.reason or f"{missed} of {len(self.ids)} objects are not as requested.{first}"
        return Operation(
            KIND,
            self.id,
            "running" if running else "failed" if missed else "succeeded",
            progress=f"{len(self.ids) - counts['pending']} of {len(self.ids)} objects",
            error=error,
            hint="`details.results` has the outcome of each object." if error else "",
            target=f"{API_PREFIX}/{self.work.collection}",
            started=self.created,
            stages=self._stages(failed=bool(missed)),
            details=details(self.work, self.ids, self.outcomes),
        )

    def _stages(self, *, failed: bool) -> Sequence[Stage]:
        if not self.work.atomic:
            return ()
        checking: StageState = "running" if self.phase == "checking" else "succeeded"
        writing: StageState = {"checking": "pending", "writing": "running", "reverting": "failed"}.get(  # type: ignore[assignment]
            self.phase, "failed" if failed else "succeeded"
        )
        return (Stage("objects checked", checking), Stage("objects written", writing))


def details(work: Work, ids: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the details of an operation: counts by action, and the outcome of each object."""
    counts = Counter(outcome.action for outcome in outcomes)
    return {
        "resource": work.collection,
        "request": work.action or work.verb,
        "counts": dict(sorted(counts.items())),
        "results": [{"id": id, **outcome.to_dict()} for id, outcome in zip(ids, outcomes, strict=True)],
    }
