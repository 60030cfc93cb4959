"""The requests of a bulk operation, one for each object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Flask, Response

from omni_gateway.auth import Principal
from omni_gateway.http.changed_fields import set_cluster
from omni_gateway.http.internal_requests import KNOWN, Origin, Reply, send
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.openapi.dry_run import MEMBER
from omni_gateway.http.paths import protected_path
from omni_gateway.http.problems import Problem, without_request
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniError
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.any_type.catalogue import current_catalogue
from omni_gateway.rest.bulk.record import Action, Outcome, Work
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.update import update

#: The outcome of a response without an operation.
_ANSWERED: Mapping[str, Action] = {"patch": "updated", "delete": "deleted", "action": "done"}


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one object's request.

    ``retry_after``: Omni, or a limit, refuses more calls for now: seconds to wait, 0 if it did not say; None otherwise.
    ``uncertain``: the request failed and may have been applied.
    """

    outcome: Outcome
    status: int
    retry_after: float | None = None
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class ObjectRequests:
    """Sends the requests of one bulk operation to the application, as its caller.

    ``known``: objects as they were read when they were selected, of an adapter whose lists have whole objects.
    ``clusters``: the clusters of the selected objects, for the audit log; a process that carries the operation on does
    not have them.
    """

    app: Flask
    principal: Principal
    origin: Origin
    work: Work
    body: bytes
    known: Mapping[str, Resource] = field(default_factory=dict)
    clusters: Mapping[str, str] = field(default_factory=dict)

    def send(self, id: str, *, dry_run: bool = False) -> Result:
        """Send the request of one object; return its outcome."""
        query = "&".join(part for part in (self.work.query, urlencode({"dry_run": "true"}) if dry_run else "") if part)
        environ = self.origin.environ(
            self.principal, self.work.method, self.work.path(id), query, self.body, self.work.media_type
        )
        set_cluster(environ, self.clusters.get(id, ""))
        if id in self.known:
            environ[KNOWN] = self.known[id]
        return self._result(send(self.app, environ), dry_run=dry_run)

    def content(self, id: str) -> Resource | Problem:
        """Return an object as it is stored, or the problem if it cannot be read."""
        with self.app.request_context(self._environ(id)):
            try:
                return self._adapter().get(id)
            except OmniError as error:
                return problem_for(error)
            except Problem as error:
                return error

    def restore(self, before: Resource) -> Problem | None:
        """Write an object's former content back, as a request of the caller's; return the problem if that fails."""
        problem: Problem | None = None
        with self.app.request_context(self._environ(before.id)):

            def former(existing: Resource) -> Resource:
                return replace(existing, spec=before.spec, labels=before.labels, annotations=before.annotations)

            try:
                update(self._adapter(), before.id, former)
            except OmniError as error:
                problem = problem_for(error)
            except Problem as error:
                problem = error
            # For what follows each request: metrics, and the entry of the audit log.
            self.app.process_response(problem.response() if problem else Response(status=200))
        return problem

    def _environ(self, id: str) -> dict[str, Any]:
        environ = self.origin.environ(self.principal, self.work.method, self.work.path(id))
        set_cluster(environ, self.clusters.get(id, ""))
        environ["PATH_INFO"] = protected_path(environ)  # as the application does with each request that it is sent
        return environ

    def _adapter(self) -> ResourceAdapter:
        gateway, work = current_gateway(), self.work
        if work.type:
            return gateway.bound(current_catalogue().allowed(work.type, work.verb).adapter)
        return gateway.bound(gateway.plugins[work.resource].adapter)

    def _result(self, reply: Reply, *, dry_run: bool) -> Result:
        document = orjson.loads(reply.body) if reply.body else {}
        if reply.status >= 400:
            problem = without_request(document)
            exhausted = reply.status == 429 or document.get("grpc_code") == "RESOURCE_EXHAUSTED"
            return Result(
                Outcome("failed", problem),
                reply.status,
                _seconds(reply.headers.get("Retry-After")) if exhausted else None,
                reply.status >= 500,
            )
        action = _ANSWERED[self.work.verb]
        if dry_run:
            return Result(Outcome(action, diff=document.get(MEMBER, {}).get("diff", [])), reply.status)
        if reply.status == 202:
            return Result(Outcome("started", operation=reply.headers.get("Operation-Location", "")), reply.status)
        return Result(Outcome(action), reply.status)


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0
