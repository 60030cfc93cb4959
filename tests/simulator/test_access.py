"""Roles: what each may do with each of Omni's types, as tried against a real Omni."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

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
_ELSEWHERE = {
    "Supports": "a type of Omni's hosted form, whose handler breaks on a delete",
    "AdvertisedEndpoints": "its handler breaks on a delete",
    "MachineConfigDiffs": "the Omni that was tried could not list them; another could",
    "DefaultJoinTokens": "its answers depend on what the one before did",
}


def _table() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "data" / "access.tsv").read_text()
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return [row for row in rows if row["type"].partition(".")[0] not in _ELSEWHERE]


def _code(call: Callable[[], object]) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return _CODES.get(error.code(), error.code().name)
    return "ok"


@pytest.mark.parametrize("role", ["None", "Reader", "Auditor", "Operator", "Admin"])
def test_a_role_may_do_what_it_may_do_at_a_real_omni(call_as: Callable[[str], Caller], role: str) -> None:
    caller = call_as(role)
    different = {}

    for row in _table():
        got = _tried(caller, row["type"], row["namespace"], f"probe-{role.lower()}")
        want = {verb: row[f"{role}_{verb}"] for verb in got}
        if got != want:
            different[row["type"]] = (got, want)

    assert different == {}


def _tried(caller: Caller, type_: str, namespace: str, id_: str) -> dict[str, str]:
    got = {
        "list": _code(lambda: caller.list(type_, namespace=namespace)),
        "create_empty": _code(lambda: caller.create(type_, id_, namespace=namespace)),
        "teardown": _code(lambda: caller.teardown(type_, id_, namespace=namespace)),
    }
    if type_.startswith("EtcdBackups."):
        del got["list"]  # needs a cluster: tests of its own
    return got


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
