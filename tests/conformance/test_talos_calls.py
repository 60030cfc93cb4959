"""Talos through Omni: which machine a call is for, who may (machine-auth-side §2, machine-auth-detail §2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.stubs import machine_pb2, machine_pb2_grpc
from omni_gateway.stubs import resources_pb2 as pb
from tests.conformance.outcomes import (
    DENIED,
    INVALID,
    MISSING,
    OK,
    UNAVAILABLE,
    UNIMPLEMENTED,
    cases,
    expect,
    holds,
    same,
)
from tests.conformance.world import World
from tests.simulator.caller import full
from tests.simulator.service_calls import EMPTY


def _call(omni: World, role: str, name: str = "Version", request: Any = EMPTY, **metadata: str) -> Any:
    caller = omni.by(role)
    signed = caller.metadata(name, *metadata.items(), service="machine.MachineService")
    return getattr(machine_pb2_grpc.MachineServiceStub(caller.channel), name)(request, metadata=signed, timeout=20)


TARGETS: list[tuple[Any, ...]] = [
    ("no runtime", {"cluster": "{c}"}, UNIMPLEMENTED),
    ("runtime in lower case", {"runtime": "talos", "cluster": "{c}"}, UNIMPLEMENTED),
    ("neither node nor cluster", {"runtime": "Talos"}, INVALID),
    ("empty node", {"runtime": "Talos", "node": ""}, INVALID),
    ("unknown node", {"runtime": "Talos", "node": "{n}"}, MISSING),
    ("unknown nodes", {"runtime": "Talos", "nodes": "{n}"}, MISSING),
    ("unknown node of an unknown cluster", {"runtime": "Talos", "node": "{n}", "cluster": "nowhere"}, MISSING),
    ("unknown cluster", {"runtime": "Talos", "cluster": "nowhere"}, UNAVAILABLE),
    ("unknown cluster as the context", {"runtime": "Talos", "context": "nowhere"}, UNAVAILABLE),
    ("a cluster without addresses", {"runtime": "Talos", "cluster": "{c}"}, UNAVAILABLE),
]


@pytest.mark.parametrize(("metadata", "wanted"), cases("machine-auth-detail 2.4 target", TARGETS))
def test_a_calls_target_is_resolved(omni: World, cluster: str, metadata: dict[str, str], wanted: str) -> None:
    sent = {key: value.format(n=omni.name(), c=cluster) for key, value in metadata.items()}
    expect(wanted, lambda: _call(omni, "Admin", **sent))


@pytest.mark.parametrize(
    "key", cases("machine-auth-detail 2.4 a call not for Talos", [("node", "node"), ("nodes", "nodes")])
)
def test_an_unknown_node_on_another_call_is_unknown(omni: World, key: str) -> None:
    caller = omni.admin
    request = pb.ListRequest(namespace="default", type=full("Clusters"))
    metadata = caller.metadata("List", (key, omni.name()))

    expect("Unknown", lambda: caller.stub.List(request, metadata=metadata, timeout=20))


@pytest.mark.needs_machines
@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "machine-auth-detail 2.4 a free machine's version",
        [("Admin", "Admin", OK), ("Operator", "Operator", OK), ("Reader", "Reader", DENIED), ("None", "None", DENIED)],
    ),
)
def test_a_machine_outside_a_cluster_is_for_operators(omni: World, role: str, wanted: str) -> None:
    machine = omni.server.free_machines()[0]
    expect(wanted, lambda: _call(omni, role, runtime="Talos", node=machine))


@pytest.mark.needs_machines
def test_machine_auth_side_2_a_direct_answer_names_no_host(omni: World) -> None:
    machine = omni.server.free_machines()[0]

    answer = _call(omni, "Admin", runtime="Talos", node=machine)

    same(1, len(answer.messages))
    same("", answer.messages[0].metadata.hostname)
    told = omni.admin.get("MachineStatuses", machine)["spec"]["talos_version"]
    same(told, answer.messages[0].version.tag)
    holds(told.startswith("v"), "MachineStatus has a v", told)


@pytest.mark.needs_machines
@pytest.mark.parametrize(
    "name",
    cases("machine-auth-detail 2.4 by a Reader", [("Reboot", "Reboot"), ("Shutdown", "Shutdown"), ("Reset", "Reset")]),
)
def test_readers_change_no_machine(omni: World, name: str) -> None:
    machine = omni.server.free_machines()[0]
    expect(
        DENIED,
        lambda: _call(omni, "Reader", name, getattr(machine_pb2, f"{name}Request")(), runtime="Talos", node=machine),
    )
