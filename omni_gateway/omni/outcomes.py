"""Failed calls that may have been applied all the same: the connection broke, or the answer did not come in time."""

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
#: Errors by which Omni reports that it has changed nothing.
REFUSALS = (
    errors.InvalidArgument,
    errors.PermissionDenied,
    errors.NotFound,
    errors.AlreadyExists,
    errors.StaleVersion,
    errors.CredentialRefused,
    errors.Unimplemented,
)
#: Errors of a call that certainly had no effect: it was refused, or not sent.
_NOTHING_DONE = (*REFUSALS, errors.FailedPrecondition, OmniSilent, NoTimeLeft)
#: Seconds before each read that checks the effect of a call without an answer: Omni's reads lag behind its writes.
LOOKS = (0.0, 0.05, 0.25)
#: gRPC's own error text when there was no connection to send the call over; calls over HTTP have it too.
NEVER_SENT = "failed to connect to all addresses"
_NOTHING = ("", 0, False)


def may_have_been_applied(error: OmniError) -> bool:
    """Return whether a failed call may have changed something."""
    if error.method in _HARMLESS or not isinstance(error, Unavailable | DeadlineExceeded | Cancelled):
        return False
    if isinstance(error, OmniSilent | NoTimeLeft):
        return False
    return not error.detail.startswith(NEVER_SENT)


_writes: ContextVar[list[str] | None] = ContextVar("writes", default=None)


@contextmanager
def record_writes() -> Iterator[Callable[[], bool]]:
    """Record the writes of this context; yields a function that returns whether any was, or may have been, applied."""
    recorded: list[str] = []
    token = _writes.set(recorded)
    try:
        yield lambda: bool(recorded)
    finally:
        _writes.reset(token)


def note(method: str, failure: OmniError | None) -> None:
    """Record a write that succeeded, or may have been applied: any error that is not a refusal."""
    recorded = _writes.get()
    if recorded is None or method in _HARMLESS or method in _READ_STREAMS:
        return
    if failure is None or not (isinstance(failure, _NOTHING_DONE) or failure.detail.startswith(NEVER_SENT)):
        recorded.append(method)


def holds(asked: Any, found: Any) -> bool:
    """Return whether ``found`` (of Omni) contains all of ``asked``, and perhaps more; None in ``asked`` matches all.

    Omni leaves zero values out of its JSON and writes 64-bit integers as text, as protobuf's JSON mapping does.
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
