"""The rules in force: they are added, listed and cleared here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from omni_gateway.simulator.errors import InvalidArgument, NotFound
from omni_gateway.simulator.faults import checks
from omni_gateway.simulator.faults.rule import Call, Fault
from omni_gateway.simulator.state.stale_reads import Snapshot
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.transport.port import GrpcPort
from omni_gateway.stubs import simulator_faults_pb2 as pb


class Faults:
    """Every rule that was added and not cleared. Safe to share between threads."""

    def __init__(self, store: Store, port: GrpcPort) -> None:
        self._store = store
        self._port = port
        self._lock = threading.Lock()
        self._port_lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._shut_by = 0
        self.newest = 0
        """The id of the rule added last, 0 before the first."""

    def add(self, rule: pb.Rule) -> pb.RuleState:
        """Put a rule in force; :class:`InvalidArgument` names everything that is wrong with it."""
        if found := checks.problems(rule):
            raise InvalidArgument("; ".join(found))
        stale = rule.HasField("stale_reads")
        snapshot = Snapshot(self._store, checks.pattern(rule.resource_type)) if stale else None
        with self._lock:
            if rule.HasField("connections"):
                self._refuse_second_shutting()
            fault = Fault(self.newest + 1, rule, snapshot)
            self._faults[fault.id] = fault
            self.newest = fault.id
        if fault.kind == "connections":
            self._shut(fault)
        return fault.state()

    def states(self) -> list[pb.RuleState]:
        """Return the state of every rule, in the order in which they were added."""
        with self._lock:
            return [fault.state() for fault in self._faults.values()]

    def clear(self, id: int = 0) -> list[pb.RuleState]:
        """End and forget a rule, or with 0 all of them; return how each stood. :class:`NotFound`."""
        with self._lock:
            if id and id not in self._faults:
                raise NotFound(f"there is no rule {id}")
            ended = [self._faults.pop(one) for one in ([id] if id else list(self._faults))]
            states = [fault.state() for fault in ended]
        for fault in ended:
            fault.clear()
            if fault.kind == "connections":
                self._reopen(fault)
        return states

    @contextmanager
    def during(self, rule: pb.Rule) -> Iterator[Callable[[], pb.RuleState]]:
        """Keep a rule in force until the block ends; yields a function that returns its state."""
        id = self.add(rule).id
        with self._lock:
            fault = self._faults[id]
        try:
            yield fault.state
        finally:
            with self._lock:
                there = id in self._faults
            if there:
                self.clear(id)

    def striking(self, call: Call, since: int = 0, only: str = "") -> list[Fault]:
        """Count a call, and return the faults that strike it, of rules added after the id ``since`` and of one kind."""
        if not self._faults:
            return []
        with self._lock:
            asked = [fault for fault in self._faults.values() if fault.id > since and only in ("", fault.kind)]
            return [fault for fault in asked if fault.strikes(call)]

    def _refuse_second_shutting(self) -> None:
        shut = next((fault.id for fault in self._faults.values() if fault.kind == "connections" and not fault.over), 0)
        if shut:
            raise InvalidArgument(f"rule {shut} has shut the port already; clear it first")

    def _shut(self, fault: Fault) -> None:
        with self._port_lock:
            self._shut_by = fault.id
            self._port.shut(unanswered=fault.rule.connections.mode == pb.Connections.UNANSWERED)
            if fault.rule.seconds:
                timer = threading.Timer(fault.rule.seconds, self._reopen, [fault])
                timer.daemon = True
                timer.start()

    def _reopen(self, fault: Fault) -> None:
        with self._port_lock:
            if self._shut_by == fault.id:  # else the port is another rule's by now, or open
                self._shut_by = 0
                self._port.reopen()
