"""Which calls that failed may have been done all the same, and whether what is there is what was asked for."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from omni_gateway.omni import outcomes
from omni_gateway.omni.errors import OmniError, error_for

CREATE, GET = "omni.resources.ResourceService/Create", "omni.resources.ResourceService/Get"
WATCH, SYNC_MANIFESTS = "omni.resources.ResourceService/Watch", "management.ManagementService/KubernetesSyncManifests"
NO_CONNECTION = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"


def failed(method: str, code: str, text: str = "Socket closed") -> OmniError:
    return error_for(method, grpc.StatusCode[code], text)


@pytest.mark.parametrize(
    ("error", "may_be"),
    [
        (failed(CREATE, "UNAVAILABLE"), True),
        (failed(CREATE, "DEADLINE_EXCEEDED"), True),
        (failed(CREATE, "CANCELLED"), True),
        (failed(CREATE, "UNAVAILABLE", NO_CONNECTION), False),
        (failed(CREATE, "ALREADY_EXISTS"), False),
        (failed(CREATE, "INVALID_ARGUMENT"), False),
        (failed(GET, "UNAVAILABLE"), False),
        (failed(GET, "DEADLINE_EXCEEDED"), False),
    ],
)
def test_only_a_write_without_an_answer_may_have_been_done(error: OmniError, may_be: bool) -> None:
    assert outcomes.may_have_been_applied(error) is may_be


@pytest.mark.parametrize(
    ("calls", "wrote"),
    [
        ([], False),
        ([(GET, None)], False),
        ([(CREATE, None)], True),
        ([(CREATE, failed(CREATE, "UNAVAILABLE"))], True),
        ([(CREATE, failed(CREATE, "INVALID_ARGUMENT")), (GET, None)], False),
        ([(CREATE, failed(CREATE, "UNAVAILABLE", NO_CONNECTION))], False),
        ([(CREATE, failed(CREATE, "INTERNAL"))], True),
        ([(CREATE, failed(CREATE, "FAILED_PRECONDITION"))], False),
        ([(WATCH, None)], False),
        ([(SYNC_MANIFESTS, None)], True),
    ],
)
def test_writes_are_noted_that_were_done_or_may_have_been(
    calls: list[tuple[str, OmniError | None]], wrote: bool
) -> None:
    with outcomes.record_writes() as noted:
        for method, failure in calls:
            outcomes.note(method, failure)
        assert noted() is wrote


def test_what_is_called_outside_is_noted_nowhere() -> None:
    with outcomes.record_writes() as noted:
        pass
    outcomes.note(CREATE, None)
    assert noted() is False


@pytest.mark.parametrize(
    ("asked", "found", "same"),
    [
        ({}, {}, True),
        ({"data": "x"}, {"data": "x", "more": 1}, True),
        ({"data": "x"}, {"data": "y"}, False),
        ({"data": "x"}, {}, False),
        ({"size": 0, "on": False, "name": "", "list": [], "none": None}, {}, True),
        ({"size": 532916}, {"size": "532916"}, True),
        ({"size": 0}, {"size": "5"}, False),
        ({"deep": {"list": [{"a": 1}, {"b": 2}]}}, {"deep": {"list": [{"a": 1, "c": 3}, {"b": 2}]}}, True),
        ({"list": [1, 2]}, {"list": [2, 1]}, False),
        ({"list": [1]}, {"list": [1, 2]}, False),
        ({"features": {}}, {}, True),
        ({"features": {"on": True}}, {"features": "on"}, False),
        ({"labels": None}, {"labels": {"a": "b"}}, True),
    ],
)
def test_what_is_there_is_what_was_asked_for(asked: dict[str, Any], found: dict[str, Any], same: bool) -> None:
    assert outcomes.holds(asked, found) is same
