"""The deadline of the current request; every call to Omni gets the time that remains.

It is set for each request by :func:`begin`, counted from the request's arrival, so that time in a queue counts too. It
is a context variable: calls made elsewhere (watches of the cache, streams' own threads) have none, and are bounded by
the client's timeout of each call only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

#: For :func:`grace`: the time by which a request may exceed its deadline.
GRACE_SECONDS = 0.9

_ends: ContextVar[float | None] = ContextVar("omni_deadline", default=None)
_graced: ContextVar[bool] = ContextVar("omni_deadline_graced", default=False)
_opens_stream: ContextVar[bool] = ContextVar("omni_opens_stream", default=False)


def begin(ends: float) -> Token[float | None]:
    """Set the deadline (monotonic) of this context; :func:`end` restores the former one."""
    _graced.set(False)
    return _ends.set(ends)


def end(token: Token[float | None]) -> None:
    """Restore the former deadline."""
    _ends.reset(token)


@contextmanager
def until(ends: float) -> Iterator[None]:
    """Set the deadline (monotonic) within the block."""
    token = begin(ends)
    try:
        yield
    finally:
        end(token)


def extend(seconds: float) -> None:
    """Extend the current request's deadline, for work that its caller asked to wait for, or that is large."""
    ends = _ends.get()
    if ends is not None:
        _ends.set(ends + seconds)


def grace() -> None:
    """Extend the current request's deadline once, to check whether a write without an answer was applied."""
    if not _graced.get():
        _graced.set(True)
        extend(GRACE_SECONDS)


@contextmanager
def at_least(seconds: float) -> Iterator[None]:
    """Allow calls within the block at least ``seconds`` from now, to undo what was begun before the deadline."""
    ends = _ends.get()
    if ends is None:
        yield
        return
    with until(max(ends, time.monotonic() + seconds)):
        yield


@contextmanager
def opening_stream() -> Iterator[None]:
    """Exempt streams that are opened within the block from the deadline; unary calls are not exempt."""
    token = _opens_stream.set(True)
    try:
        yield
    finally:
        _opens_stream.reset(token)


def left(timeout: float) -> float:
    """Return the seconds that a call may take, at most ``timeout``; 0 or less after the deadline."""
    ends = _ends.get()
    return timeout if ends is None else min(timeout, ends - time.monotonic())


def left_for_stream(timeout: float | None) -> float | None:
    """Return the seconds that a stream may last; None: unbounded."""
    ends = _ends.get()
    if ends is None or _opens_stream.get():
        return timeout
    remaining = ends - time.monotonic()
    return remaining if timeout is None else min(timeout, remaining)
