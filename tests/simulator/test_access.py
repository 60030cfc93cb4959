"""Roles beyond the matrix, which is tests/conformance/test_access_matrix.py."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from tests.simulator.caller import Caller

_CODES = {
    grpc.StatusCode.PERMISSION_DENIED: "denied",
    grpc.StatusCode.INVALID_ARGUMENT: "invalid",
    grpc.StatusCode.NOT_FOUND: "missing",
    grpc.StatusCode.UNKNOWN: "unknown",
    grpc.StatusCode.UNIMPLEMENTED: "unimpl",
    grpc.StatusCode.ALREADY_EXISTS: "exists",
}


def _code(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return _CODES.get(error.code(), error.code().name)
    return "ok"


def test_a_type_that_there_is_not_is_denied_to_read_and_unknown_to_write(admin: Caller) -> None:
    assert _code(lambda: admin.get("Unicorns", "u")) == "denied"
    assert _code(lambda: admin.list("Unicorns")) == "denied"
    assert _code(lambda: admin.create("Unicorns", "u")) == "unknown"
    assert _code(lambda: admin.teardown("Unicorns", "u")) == "denied"


def test_the_simulators_own_bookkeeping_is_nobodys_to_see(admin: Caller) -> None:
    assert _code(lambda: admin.list("EmulatedMachines.simulator.local", namespace="simulator")) == "denied"


def test_an_infra_provider_reads_machines_and_little_else(call_as: Callable[[str], Caller]) -> None:
    provider = call_as("InfraProvider")

    assert len(provider.ids("Machines")) == 4
    assert _code(lambda: provider.list("MachineStatuses")) == "denied"
    assert _code(lambda: provider.list("Clusters")) == "denied"


@pytest.mark.parametrize(
    ("role", "verb", "code"),
    [
        ("Operator", "create", "denied"),
        ("Operator", "update", "missing"),
        ("Reader", "update", "denied"),
        ("Operator", "teardown", "missing"),
    ],
)
def test_join_tokens_are_changed_and_removed_but_not_created(
    call_as: Callable[[str], Caller], role: str, verb: str, code: str
) -> None:
    caller = call_as(role)
    token = {"metadata": {"namespace": "default", "type": "JoinTokens.omni.sidero.dev", "id": "t", "version": 1}}
    calls = {
        "create": lambda: caller.create("JoinTokens", "t", {"name": "x"}),
        "update": lambda: caller.update({**token, "spec": {"name": "x"}}),
        "teardown": lambda: caller.teardown("JoinTokens", "t"),
    }

    assert _code(calls[verb]) == code
