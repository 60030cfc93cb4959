"""A rule that was put in force: which calls it strikes, how often it did, and when it is over."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from omni_gateway.simulator.faults.checks import READS, methods, pattern
from omni_gateway.simulator.state.stale_reads import Snapshot
from omni_gateway.stubs import simulator_faults_pb2 as pb


@dataclass(frozen=True)
class Call:
    """A call as rules see it: its full name, and the type and id of the resource that it is about, if any."""

    method: str
    type: str = ""
    id: str = ""

    @classmethod
    def of(cls, method: str, request: Any) -> Call:
        """Read them off a request: writes carry the resource whole, the others its type and id."""
        name = method.removeprefix("/")
        about = request.resource.metadata if hasattr(request, "resource") else request
        return cls(name, getattr(about, "type", ""), getattr(about, "id", ""))


class Fault:
    """One rule and its counters. The registry's lock is around every call of :meth:`strikes`."""

    def __init__(self, id: int, rule: pb.Rule, snapshot: Snapshot | None) -> None:
        self.id = id
        self.rule = pb.Rule()
        self.rule.CopyFrom(rule)
        self.kind = rule.WhichOneof("fault") or ""
        self.snapshot = snapshot
        self.matched = 0
        self.struck = 0
        self._method = pattern(rule.method)
        self._type = pattern(rule.resource_type)
        self._id = pattern(rule.resource_id)
        self._random = random.Random(rule.seed)  # noqa: S311  # the same draws in every run, no secret
        self._ends = time.monotonic() + rule.seconds if rule.seconds else None
        self._lock = threading.Lock()
        self._cleared = False
        self._waiting: set[threading.Event] = set()

    @property
    def over(self) -> bool:
        """Return whether it strikes no more."""
        return (bool(self.rule.times) and self.struck >= self.rule.times) or self.timed_out

    @property
    def timed_out(self) -> bool:
        """Return whether its seconds have passed."""
        return self._ends is not None and time.monotonic() >= self._ends

    def state(self) -> pb.RuleState:
        """Return its counters and whether it is over."""
        return pb.RuleState(id=self.id, rule=self.rule, matched=self.matched, struck=self.struck, over=self.over)

    def strikes(self, call: Call) -> bool:
        """Count a call, and return whether it is struck."""
        if self.kind == "connections" or not self._matches(call) or self.over:
            return False
        self.matched += 1
        turn = self.matched - self.rule.skip
        if turn <= 0 or turn % (self.rule.every or 1):
            return False
        if self.rule.HasField("probability") and self._random.random() >= self.rule.probability:
            return False
        self.struck += 1
        return True

    def _matches(self, call: Call) -> bool:
        if not self._method(call.method) or not self._suits(call.method):
            return False
        return self._type(call.type) and self._id(call.id)

    def _suits(self, method: str) -> bool:
        """Return whether this kind of fault can apply to a method at all."""
        if self.kind in ("cut", "answer_lost"):
            return methods().get(method, False) is (self.kind == "cut")
        return self.kind != "stale_reads" or method in READS

    def hold(self, add_callback: Callable[[Callable[[], None]], bool]) -> None:
        """Wait until the rule is cleared or timed out, or the call has ended (see ``add_callback``)."""
        woken = threading.Event()
        with self._lock:
            if self._cleared or not add_callback(woken.set):
                return
            self._waiting.add(woken)
        try:
            woken.wait(None if self._ends is None else max(self._ends - time.monotonic(), 0.0))
        finally:
            with self._lock:
                self._waiting.discard(woken)

    def clear(self) -> None:
        """Let the calls go that it holds."""
        with self._lock:
            self._cleared = True
            for woken in self._waiting:
                woken.set()
