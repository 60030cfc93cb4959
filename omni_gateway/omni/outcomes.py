"""Calls that failed and may have been done all the same: the connection broke, or the answer did not come in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from omni_gateway.omni import errors, rpcs
from omni_gateway.omni.errors import (
    Cancelled,
    DeadlineExceeded,
    NoTimeLeft,
    OmniError,
    OmniSilent,
    Unavailable,
)

_HARMLESS = frozenset(rpc.name for rpc in rpcs.REPEATABLE)
_READ_STREAMS = frozenset(
    rpc.name for rpc in (rpcs.WATCH, rpcs.MACHINE_LOGS, rpcs.READ_AUDIT_LOG, rpcs.GET_SUPPORT_BUNDLE)
)
#: Answers by which Omni says that it has done nothing.
REFUSALS = (
    errors.InvalidArgument,
    errors.PermissionDenied,
    errors.NotFound,
    errors.AlreadyExists,
    errors.StaleVersion,
    errors.CredentialRefused,
    errors.Unimplemented,
)
#: Failures of a call after which it has surely had no effect: refused, or not sent.
_NOTHING_DONE = (*REFUSALS, errors.FailedPrecondition, OmniSilent, NoTimeLeft)
#: Seconds before each look for what became of a call without an answer: Omni reads behind its own writes.
LOOKS = (0.0, 0.05, 0.25)
#: gRPC's own words when there was no connection to send anything over.
_NEVER_SENT = "failed to connect to all addresses"
_NOTHING = ("", 0, False)


def may_have_been_applied(error: OmniError) -> bool:
    """Whether a call that failed changed something, as far as this side can know."""
    if error.method in _HARMLESS or not isinstance(error, Unavailable | DeadlineExceeded | Cancelled):
        return False
    if isinstance(error, OmniSilent | NoTimeLeft):
        return False
    return not error.detail.startswith(_NEVER_SENT)


_writes: ContextVar[list[str] | None] = ContextVar("writes", default=None)


@contextmanager
def record_writes() -> Iterator[Callable[[], bool]]:
    """Note the writes that this thread sends; gives what tells whether any was done, or may have been."""
    noted: list[str] = []
    token = _writes.set(noted)
    try:
        yield lambda: bool(noted)
    finally:
        _writes.reset(token)


def note(method: str, failure: OmniError | None) -> None:
    """Note a call that went through, or may have though it failed: any failure that is no refusal."""
    noted = _writes.get()
    if noted is None or method in _HARMLESS or method in _READ_STREAMS:
        return
    if failure is None or not (isinstance(failure, _NOTHING_DONE) or failure.detail.startswith(_NEVER_SENT)):
        noted.append(method)


def holds(asked: Any, found: Any) -> bool:
    """Whether what Omni has is what it was asked for, and perhaps more; None asks for nothing.

    Omni leaves zero values out of its JSON and writes 64-bit integers as text (facts: resource-service).
    """
    if asked is None:
        return True
    if isinstance(asked, Mapping):
        found = {} if found is None else found  # a message without members
        return isinstance(found, Mapping) and all(holds(item, found.get(name)) for name, item in asked.items())
    if isinstance(asked, list):
        found = [] if found is None else found
        return isinstance(found, list) and len(asked) == len(found) and all(map(holds, asked, found))
    if asked in _NOTHING:
        return not found
    return str(asked) == str(found)
