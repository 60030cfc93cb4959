"""The time by which the work in flight has to end; every call to Omni gets what is left of it.

Whoever serves a request sets it with :func:`until`, counted from the request's arrival, so that time spent in a queue
counts too. It is a context variable: calls made elsewhere (watches of the cache, streams' own threads) have none and
keep the client's own bound of each call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

#: For :func:`grace`: what a request may take longer than its time, at most.
GRACE_SECONDS = 0.9

_ends: ContextVar[float | None] = ContextVar("omni_deadline", default=None)
_graced: ContextVar[bool] = ContextVar("omni_deadline_graced", default=False)
_opens_stream: ContextVar[bool] = ContextVar("omni_opens_stream", default=False)


def begin(ends: float) -> Token[float | None]:
    """Set the deadline (monotonic) of this context; :func:`end` takes it back."""
    _graced.set(False)
    return _ends.set(ends)


def end(token: Token[float | None]) -> None:
    """Set the deadline that there was before."""
    _ends.reset(token)


@contextmanager
def until(ends: float) -> Iterator[None]:
    """Set the deadline (monotonic) meanwhile."""
    token = begin(ends)
    try:
        yield
    finally:
        end(token)


def extend(seconds: float) -> None:
    """Give the request in flight more time: for work that its caller asked to wait for, or that is large."""
    ends = _ends.get()
    if ends is not None:
        _ends.set(ends + seconds)


def grace() -> None:
    """Give the request in flight a moment more, once: to see whether a write was done that got no answer in time."""
    if not _graced.get():
        _graced.set(True)
        extend(GRACE_SECONDS)


@contextmanager
def at_least(seconds: float) -> Iterator[None]:
    """Give calls so many seconds from now meanwhile, whatever is left: to undo what was begun in time."""
    ends = _ends.get()
    if ends is None:
        yield
        return
    with until(max(ends, time.monotonic() + seconds)):
        yield


@contextmanager
def opening_stream() -> Iterator[None]:
    """Let streams that are opened meanwhile outlast the request's deadline; unary calls keep to it."""
    token = _opens_stream.set(True)
    try:
        yield
    finally:
        _opens_stream.reset(token)


def left(timeout: float) -> float:
    """Return the seconds that a call may take, at most ``timeout``; 0 or less when there is no time left."""
    ends = _ends.get()
    return timeout if ends is None else min(timeout, ends - time.monotonic())


def left_for_stream(timeout: float | None) -> float | None:
    """Return the seconds that a stream may last; None: as long as it likes."""
    ends = _ends.get()
    if ends is None or _opens_stream.get():
        return timeout
    remaining = ends - time.monotonic()
    return remaining if timeout is None else min(timeout, remaining)
