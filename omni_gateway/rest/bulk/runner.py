"""Bulk operations of one application: each runs in a thread of one process, and goes on in another if that dies."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import cast

from flask import Flask

from omni_gateway.auth import Principal, Role
from omni_gateway.http.guard import credential_checker
from omni_gateway.omni import OmniClient
from omni_gateway.rest.bulk.object_requests import ObjectRequests
from omni_gateway.rest.bulk.record import COLLECTION, KIND, BulkRecord, Superseded
from omni_gateway.rest.bulk.run import Interrupted, Run
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.operations import Operation, OperationKind
from omni_gateway.rest.request_context import request_context
from omni_gateway.store import StoreUnavailable
from omni_gateway.tasks import PluginContext, Task, TaskContext
from omni_gateway.tasks.lease import Lease, renewed

log = logging.getLogger(__name__)

EXTENSION = "omni_gateway_bulk"
#: Operations that run at a time in a process; others wait for them.
MOST_RUNNING = 4
#: Seconds between two looks for operations that another process has left: while there are some, and otherwise.
LOOK_SECONDS, IDLE_LOOK_SECONDS = 3.0, 30.0
#: How long a stop of the process waits for the requests that are under way.
STOP_SECONDS = 4.0
#: How long the record of an operation that has ended can be read.
KEPT = timedelta(days=7)

#: Why an operation that another process has begun cannot be carried on.
OWN_KEY = "The gateway was stopped, and does not have your Omni key to go on with: send the request again."
NO_BODY = "The gateway was stopped, and what was requested cannot be read back: send the request again."


@dataclass(frozen=True, slots=True)
class _Running:
    """An operation that this process runs."""

    run: Run
    thread: Thread


class BulkRunner:
    """Starts, carries on and shows the bulk operations of one application."""

    def __init__(self, app: Flask, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway
        self._store = gateway.store
        self._key = gateway.own_omni.config.service_account_key
        self._running: dict[str, _Running] = {}
        self._lock = Lock()
        self._slots = BoundedSemaphore(MOST_RUNNING)
        #: This process's view of the leases of operations that it does not run itself.
        self._leases: dict[str, Lease] = {}

    def start(self, record: BulkRecord, requests: ObjectRequests) -> None:
        """Store the operation of the current request and run it in the background."""
        record.sealed = record.seal(requests.body, self._key)
        run = Run(record, requests, self._store, self._key, credential_checker(), Event())
        with self._lock:  # so that this process does not take it for one that another has left
            record.create(self._store)
            self._start(run, Lease(self._store.leases, _lease_name(record.id)), held=False)

    def kind(self) -> OperationKind:
        """Return the operation kind."""
        return OperationKind(
            KIND,
            self._read,
            "A PATCH, DELETE or action on many objects; only its caller and admins can read it",
            role=Role.READER,
            under_way=self._under_way,
        )

    def task(self) -> Task:
        """Return the background task of each worker that carries on the operations of a process that has ended."""
        return Task("resume", self._resume)

    def _read(self, _: OmniClient, id: str) -> Operation:
        document = self._store.documents.find(COLLECTION, id)
        if document is None:
            raise NotFound(id)
        record = BulkRecord.read(document)
        if not _may_read(record):
            raise NotFound(id)
        return record.operation()

    def _under_way(self, _: OmniClient) -> Iterator[Operation]:
        with suppress(StoreUnavailable):  # other kinds of operations are listed all the same
            members = self._store.documents.members(COLLECTION, ["id"], ["phase"])
            ids = [id for id, phase in members if phase != "ended"]
            for record in map(BulkRecord.read, self._store.documents.named(COLLECTION, ids)):
                if _may_read(record):
                    yield record.operation()

    def _start(self, run: Run, lease: Lease, *, held: bool) -> None:
        """Run an operation in a thread; ``held``: this process has a slot for it, and the lease."""
        thread = Thread(target=self._run, args=(run, lease, held), name=f"bulk-{run.record.id}", daemon=True)
        self._running[run.record.id] = _Running(run, thread)
        thread.start()

    def _run(self, run: Run, lease: Lease, held: bool) -> None:
        if not held:
            self._slots.acquire()
        try:
            if held or lease.acquire():
                with renewed(lease, run.ending):
                    run.run()
                self._store.leases.forget(lease.name)
        except (Interrupted, Superseded) as error:
            log.info("bulk operation %s goes on in another process (%s)", run.record.id, type(error).__name__)
        except Exception:
            log.exception("bulk operation %s stopped; it goes on later", run.record.id)
        finally:
            self._slots.release()
            with self._lock:
                del self._running[run.record.id]

    def _resume(self, context: TaskContext) -> None:
        """Carry on the operations of processes that have ended, until this one has to stop."""
        pause = 0.0
        while not context.wait(pause):
            pause = IDLE_LOOK_SECONDS
            with suppress(StoreUnavailable):
                pause = LOOK_SECONDS if self._look() else IDLE_LOOK_SECONDS
        with self._lock:
            running = [*self._running.values()]
        for each in running:
            each.run.ending.set()
        until = time.monotonic() + STOP_SECONDS
        for each in running:
            each.thread.join(max(0.0, until - time.monotonic()))

    def _look(self) -> bool:
        """Start the operations that no process runs any more, and remove old records; return whether any is left."""
        left = []
        oldest = datetime.now(UTC) - KEPT
        for id, version, phase, created in self._store.documents.members(
            COLLECTION, ["id", "version"], ["phase", "created"]
        ):
            if phase != "ended":
                left.append(id)
            elif datetime.fromisoformat(created) < oldest:
                self._store.documents.delete(COLLECTION, id, version)
        self._leases = {id: self._leases.get(id) or Lease(self._store.leases, _lease_name(id)) for id in left}
        for id, lease in self._leases.items():
            with self._lock:
                if id not in self._running and self._slots.acquire(blocking=False):
                    self._carry_on(id, lease)
        return bool(left)

    def _carry_on(self, id: str, lease: Lease) -> None:
        """Start an operation, for which a slot is taken, if its lease is free; else give the slot back."""
        run = None
        try:
            run = self._run_of(id) if lease.acquire() else None
        finally:
            if run is None:
                self._slots.release()
        if run is not None:
            log.warning("bulk operation %s, which another process has left, is carried on", id)
            self._start(run, lease, held=True)

    def _run_of(self, id: str) -> Run | None:
        """Return the run of an operation whose lease is held; None if it has ended, or has to end here."""
        document = self._store.documents.find(COLLECTION, id)  # after the lease: its holder may have just ended it
        record = None if document is None else BulkRecord.read(document)
        if record is None or record.phase == "ended":
            self._store.leases.forget(_lease_name(id))
            return None
        body = record.unseal(record.sealed, self._key)
        if body is None or record.caller.method == "omni-key":
            record.end(NO_BODY if body is None else OWN_KEY)
            record.save(self._store)
            self._store.leases.forget(_lease_name(id))
            return None
        principal = record.caller.principal()
        requests = ObjectRequests(self._app, principal, record.origin, record.work, body)
        valid = partial(self._is_valid, principal)
        return Run(record, requests, self._store, self._key, valid, Event(), resumed=True)

    def _is_valid(self, principal: Principal) -> bool:
        """Return whether a caller's credential is still valid, as far as it can be told without the credential."""
        if principal.expires is not None and principal.expires <= datetime.now(UTC):
            return False
        if principal.method != "token":
            return True
        token = self._store.tokens.find(principal.id.removeprefix("token:"))
        return token is not None and token.valid()


def _may_read(record: BulkRecord) -> bool:
    principal = request_context().principal
    return principal.id == record.caller.id or principal.may(Role.ADMIN)


def _lease_name(id: str) -> str:
    return f"bulk/{id}"


def runner_of(app: Flask) -> BulkRunner:
    """Return the runner of an application."""
    return cast(BulkRunner, app.extensions[EXTENSION])


def init_app(app: Flask, gateway: Gateway) -> None:
    """Let an application carry out bulk requests."""
    runner = app.extensions[EXTENSION] = BulkRunner(app, gateway)
    gateway.operations[KIND] = kind = runner.kind()
    gateway.operation_roles[KIND] = kind.role or Role.READER
    gateway.tasks.add(runner.task(), KIND, "the gateway", PluginContext(gateway.own_omni, gateway.store, None, None))
