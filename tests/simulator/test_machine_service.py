"""Talos through Omni: how a call finds its machine, who may make it, and what it does there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.seed import fleet
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import machine_pb2 as pb
from tests.simulator.caller import Caller, denied, invalid, missing, refused, unauthenticated
from tests.simulator.service_calls import make_cluster, spec_of, talos

PLANE, WORKER, FREE = fleet.machine_id(0), fleet.machine_id(1), fleet.machine_id(3)
unavailable = grpc.StatusCode.UNAVAILABLE


@pytest.fixture(scope="module", autouse=True)
def cluster(sim: RunningSimulator, wait_until: Callable[..., Any]) -> None:
    make_cluster(sim.store, wait_until, "c1", [PLANE, WORKER])


def status(store: Store, machine: str) -> dict[str, Any]:
    return spec_of(store, kinds.CLUSTER_MACHINE_STATUS, machine)


def test_a_node_is_reached_by_id_by_name_and_by_address(admin: Caller, store: Store) -> None:
    machine = spec_of(store, kinds.MACHINE_STATUS, WORKER)

    for node in (WORKER, machine["network"]["hostname"], machine["management_address"]):
        answer = talos(admin, "Version", node=node)

        assert answer.messages[0].version.tag == "v1.13.7"
        assert answer.messages[0].metadata.hostname == ""


def test_nodes_go_through_a_control_plane_and_the_answer_names_each(admin: Caller, store: Store) -> None:
    answer = talos(admin, "Version", nodes=f"{PLANE},{WORKER}", cluster="c1")

    addresses = [spec_of(store, kinds.MACHINE_STATUS, id_)["management_address"] for id_ in (PLANE, WORKER)]
    assert [message.metadata.hostname for message in answer.messages] == addresses


def test_a_cluster_alone_is_one_of_its_control_planes(reader: Caller) -> None:
    assert len(talos(reader, "Version", cluster="c1").messages) == 1


def test_an_unknown_node_is_missing_even_without_a_signature(admin: Caller, anonymous: Caller) -> None:
    for caller in (admin, anonymous):
        with missing():
            talos(caller, "Version", node="nobody")
    with missing():
        talos(admin, "Version", node=FREE, cluster="c1")


def test_nodes_of_different_clusters_are_invalid(admin: Caller) -> None:
    with invalid("different clusters"):
        talos(admin, "Version", nodes=f"{WORKER},{FREE}")


def test_a_call_that_finds_its_node_needs_a_signature_and_a_role(
    anonymous: Caller, reader: Caller, operator: Caller, call_as: Callable[[str], Caller]
) -> None:
    with unauthenticated():
        talos(anonymous, "Version", node=WORKER)
    with denied():
        talos(call_as("None"), "Version", node=WORKER)
    with denied():
        talos(reader, "Version", node=FREE)
    with denied():
        talos(reader, "Reboot", pb.RebootRequest(), node=WORKER)

    assert talos(reader, "Version", node=WORKER).messages
    assert talos(operator, "Version", node=FREE).messages


def test_nobody_resets_a_machine_by_talos(admin: Caller, store: Store) -> None:
    with denied("machine set"):
        talos(admin, "Reset", pb.ResetRequest(graceful=True), node=WORKER)

    assert status(store, WORKER)["ready"]


def test_a_reboot_takes_a_worker_down_and_brings_it_back_with_a_new_boot_id(
    operator: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    boot = spec_of(store, kinds.MACHINE_STATUS_SNAPSHOT, WORKER)["boot_id"]

    answer = talos(operator, "Reboot", pb.RebootRequest(), node=WORKER)

    assert len(answer.messages) == 1
    wait_until(lambda: spec_of(store, kinds.MACHINE_STATUS_SNAPSHOT, WORKER)["boot_id"] != boot)
    wait_until(lambda: status(store, WORKER)["ready"])


def test_a_shutdown_turns_the_machine_off_and_it_comes_back_when_powered_on(
    operator: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    talos(operator, "Shutdown", pb.ShutdownRequest(), node=WORKER)

    wait_until(lambda: status(store, WORKER)["stage"] == 11)
    machine = wait_until(
        lambda: (spec := spec_of(store, kinds.MACHINE_STATUS, WORKER)) and not spec["connected"] and spec
    )
    assert machine["power_state"] == 3
    with refused(unavailable):
        talos(operator, "Version", node=WORKER)
    wait_until(lambda: status(store, WORKER)["ready"])
