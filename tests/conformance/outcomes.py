"""What a call came to, in one word, and how a case says what it expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import grpc
import pytest

OK = "OK"
INVALID = "InvalidArgument"
DENIED = "PermissionDenied"
MISSING = "NotFound"
EXISTS = "AlreadyExists"
UNKNOWN = "Unknown"
UNAUTHENTICATED = "Unauthenticated"
FAILED = "FailedPrecondition"
UNIMPLEMENTED = "Unimplemented"
UNAVAILABLE = "Unavailable"
DEADLINE = "DeadlineExceeded"
INTERNAL = "Internal"
EXHAUSTED = "ResourceExhausted"

SINCE_1_10 = pytest.mark.needs_omni("1.10")
"""For behaviour of 1.10.0-beta.0 that an older Omni (1.7.0-beta.0 was tried) does not have."""


class Divergence(AssertionError):
    """A server that does something else than a real Omni was seen to do."""

    def __init__(self, expected: Any, got: Any, told: str = "") -> None:
        super().__init__(f"expected {expected}, got {got}" + (f" ({told})" if told else ""))
        self.expected, self.got = str(expected), f"{got} ({told})" if told else str(got)


def outcome(call: Callable[[], object]) -> str:
    """Make a call and return ``OK`` or the name of its status code, as Go spells it."""
    return _tried(call)[0]


def _tried(call: Callable[[], object]) -> tuple[str, str]:
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name.title().replace("_", ""), str(error.details())[:200]
    return OK, ""


def expect(expected: str, call: Callable[[], object]) -> None:
    """Make a call that must come to this."""
    got, told = _tried(call)
    if got != expected:
        raise Divergence(expected, got, told)


def same(expected: Any, got: Any) -> None:
    """Compare the behaviour of a real Omni with that of the server under test."""
    if expected != got:
        raise Divergence(expected, got)


def holds(truth: object, expected: str, got: Any) -> None:
    """Demand that something is true; in words what it is, and what is there instead."""
    if not truth:
        raise Divergence(expected, got)


def cases(fact: str, rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Make pytest parameters of rows: what the row is about, what the case takes, and marks at the end, if any."""
    found = []
    for about, *values in rows:
        marks = [value for value in values if isinstance(value, pytest.MarkDecorator)]
        given = [value for value in values if not isinstance(value, pytest.MarkDecorator)]
        found.append(pytest.param(*given, marks=marks, id=f"{fact}: {about}"))
    return found
