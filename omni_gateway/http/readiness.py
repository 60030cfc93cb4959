"""Readiness: named checks of the gateway's dependencies, run in the background and reported without blocking.

A worker calls :meth:`Readiness.start` once it serves. From then on each check runs in a thread of its own, so that a
hanging check delays neither other checks nor ``/readyz``. In a process that never called it (a test client, another
WSGI server), :meth:`Readiness.report` runs the checks itself.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

#: Between the end of a check and its next run.
INTERVAL_SECONDS = 3.0
#: The same while it fails: shorter, so that a recovery is noticed soon.
RETRY_SECONDS = 1.0
#: A check that runs for longer counts as failed.
HUNG_SECONDS = 10.0
_NEVER = "It has not been checked yet"

Check = Callable[[], "Mapping[str, Any] | None"]
"""Returns members to add to its entry of ``/readyz``; raises :class:`CheckFailed`. It may block."""


class CheckFailed(Exception):
    """A check failed. The reason is shown without authentication: no secret, no address, no name of an object."""


@dataclass(frozen=True, slots=True)
class Report:
    """The state of all checks: ``ready``, and each check's ``status``, ``reason`` and ``latency_ms``."""

    ready: bool
    checks: Mapping[str, Mapping[str, Any]]

    @property
    def failed(self) -> list[str]:
        """Return the names of the checks that fail."""
        return [name for name, entry in self.checks.items() if entry["status"] != "ok"]

    @property
    def status(self) -> str:
        """Return ``ok``, ``degraded`` (ready, but a check fails) or ``unavailable``."""
        if not self.ready:
            return "unavailable"
        return "degraded" if self.failed else "ok"


@dataclass
class _State:
    """A check and its last outcome; ``passed``: it has passed once; ``began``: start of the running one, monotonic.

    ``seconds``: how long it may take; ``source``: what it is of, in the log.
    """

    check: Check
    required: bool
    at_start: bool
    seconds: float | None = None
    source: str = "the gateway"
    entry: Mapping[str, Any] = field(default_factory=lambda: {"status": "unavailable", "reason": _NEVER})
    passed: bool = False
    began: float | None = None
    due: threading.Event = field(default_factory=threading.Event)


class Readiness:
    """The checks of one application.

    A replica becomes ready once each check has passed, except those that are not ``at_start``. After that only
    ``required`` checks make it unready when they fail: a failing dependency fails for all replicas at once, and a
    problem response of the gateway is more useful than a load balancer's error without backends.
    """

    def __init__(self, required: Iterable[str] = ()) -> None:
        self._required = frozenset(required)
        self._states: dict[str, _State] = {}
        self._running_in: int | None = None

    def add(
        self,
        name: str,
        check: Check,
        *,
        at_start: bool = True,
        seconds: float | None = None,
        source: str = "the gateway",
    ) -> None:
        """Add a check, before :meth:`start`.

        :param at_start: whether the replica is not ready before it has passed.
        :param seconds: after which a running check counts as failed; by default :data:`HUNG_SECONDS`.
        :param source: what it is of, in the log.
        """
        required = name in self._required
        self._states[name] = _State(check, required, at_start or required, seconds, source)

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the checks."""
        return tuple(self._states)

    def start(self) -> None:
        """Start a thread for each check in this process; a second call does nothing."""
        if self._running_in == os.getpid():
            return
        self._running_in = os.getpid()
        for name, state in self._states.items():
            threading.Thread(target=self._repeat, args=(name, state), name=f"check-{name}", daemon=True).start()

    def check_soon(self, name: str) -> None:
        """Run a check now instead of at the end of its interval; called when a call to the dependency failed."""
        if (state := self._states.get(name)) is not None:
            state.due.set()

    def report(self) -> Report:
        """Return the checks' last outcomes; does not block once :meth:`start` was called in this process."""
        if self._running_in != os.getpid():
            for name, state in self._states.items():
                _run(name, state)
        checks = self.entries()
        ready = all(
            checks[name]["status"] == "ok" or not (state.required or (state.at_start and not state.passed))
            for name, state in self._states.items()
        )
        return Report(ready, checks)

    def entries(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the last outcome of each check; runs none."""
        now = time.monotonic()
        return {name: _entry(state, now) for name, state in self._states.items()}

    def _repeat(self, name: str, state: _State) -> None:
        while True:
            state.due.clear()
            _run(name, state)
            state.due.wait(INTERVAL_SECONDS if state.entry["status"] == "ok" else RETRY_SECONDS)


def _run(name: str, state: _State) -> None:
    """Run a check and store its outcome; log one line when the outcome changes."""
    before = state.entry.get("reason")
    state.began = started = time.monotonic()
    try:
        members = state.check() or {}
    except CheckFailed as error:
        entry: dict[str, Any] = {"status": "unavailable", "reason": str(error)}
    except Exception as error:
        if before is None or before == _NEVER:
            log.exception("the readiness check %r of %s failed in an unexpected way", name, state.source)
        entry = {"status": "unavailable", "reason": f"The check itself failed ({type(error).__name__})"}
    else:
        entry = {"status": "ok", "latency_ms": round((time.monotonic() - started) * 1000, 1), **members}
        state.passed = True
    state.entry, state.began = entry, None
    reason = entry.get("reason")
    if reason != before and (reason is not None or before != _NEVER):
        log.warning("readiness check %r: %s", name, reason or "passes again")


def _entry(state: _State, now: float) -> Mapping[str, Any]:
    """Return a check's last outcome, or a failure if it has been running for too long."""
    began = state.began
    if began is None or now - began < (HUNG_SECONDS if state.seconds is None else state.seconds):
        return state.entry
    return {"status": "unavailable", "reason": f"The check has not ended for {now - began:.0f} s"}
