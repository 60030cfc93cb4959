"""What Omni says about machines: labels, metrics, kernel arguments, and the fleet they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.machines.hardware import TALOS_MAINTENANCE, TALOS_REBOOTING, begin, reboot_steps, set_fields
from omni_gateway.simulator.seed.catalog import seed_catalog
from omni_gateway.simulator.seed.fleet import machine_id, seed_fleet
from omni_gateway.simulator.state.store import Store
from tests.simulator.machine_world import PREFIX, World, running_world


@pytest.fixture
def world() -> Iterator[World]:
    with running_world(machines=3) as found:
        yield found


def test_a_users_labels_show_on_the_machine_and_omnis_own_stay_as_they_are(world: World) -> None:
    world.change(
        kinds.MACHINE_LABELS,
        world.machine(0),
        lambda res: res.labels.update({"rack": "7", PREFIX + "arch": "mips"}),
    )

    labels = world.wait(
        lambda: (res := world.find(kinds.MACHINE_STATUS, world.machine(0))) and "rack" in res.labels and res.labels
    )

    assert labels["rack"] == "7"
    assert labels[PREFIX + "arch"] == "amd64"


def test_labels_that_are_taken_away_go_from_the_machine(world: World) -> None:
    world.change(kinds.MACHINE_LABELS, world.machine(0), lambda res: res.labels.update({"rack": "7"}))
    world.wait(lambda: (res := world.find(kinds.MACHINE_STATUS, world.machine(0))) and "rack" in res.labels)

    world.change(kinds.MACHINE_LABELS, world.machine(0), lambda res: res.labels.clear())

    world.wait(lambda: (res := world.find(kinds.MACHINE_STATUS, world.machine(0))) and "rack" not in res.labels)


def test_a_machine_without_boot_ids_reports_a_reboot_all_the_same(world: World) -> None:
    set_fields(world.store, world.machine(0), {"tells_boot_id": False})
    world.wait(lambda: "boot_id" not in world.spec(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0)))
    before = len(world.history(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0)))

    begin(world.store, world.machine(0), reboot_steps())

    def stages() -> list[int]:
        seen = world.history(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0))[before:]
        return [spec["machine_status"]["stage"] for spec in seen]

    world.wait(lambda: stages() == [TALOS_REBOOTING, TALOS_MAINTENANCE])
    assert "boot_id" not in world.spec(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0))


def test_the_fleets_metrics_follow_the_machines(world: World) -> None:
    world.ready_cluster(control_planes=1, workers=1)
    world.wait(world.settled)

    metrics = world.spec(kinds.MACHINE_STATUS_METRICS, "metrics")

    assert (metrics["registered_machines_count"], metrics["allocated_machines_count"]) == (3, 2)
    assert metrics["connected_machines_count"] == 3
    assert sum(metrics["platforms"].values()) == 3
    assert world.spec(kinds.CLUSTER_STATUS_METRICS, "metrics") == {"not_ready_count": 0, "phases": {"3": 1}}
    assert world.spec(kinds.CLUSTER_METRICS, "metrics")["features"]["embedded_discovery_service"] == 1


def test_kernel_arguments_of_a_free_machine_come_into_its_image_with_a_reboot(world: World) -> None:
    boot = world.spec(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0))["boot_id"]

    world.make(kinds.KERNEL_ARGS, world.machine(0), {"args": ["console=ttyS0"]})

    world.wait(lambda: world.spec(kinds.KERNEL_ARGS_STATUS, world.machine(0))["current_args"] == ["console=ttyS0"])
    world.wait(lambda: world.spec(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0))["boot_id"] != boot)
    assert "console=ttyS0" in world.spec(kinds.MACHINE_STATUS, world.machine(0))["kernel_cmdline"]


def test_a_rebooting_machine_cannot_be_reached_meanwhile(world: World) -> None:
    begin(world.store, world.machine(0), reboot_steps())

    world.wait(lambda: world.spec(kinds.MACHINE_STATUS, world.machine(0))["connected"] is False)
    world.wait(lambda: world.spec(kinds.MACHINE_STATUS, world.machine(0))["connected"] is True)
    stages = [
        spec["machine_status"]["stage"] for spec in world.history(kinds.MACHINE_STATUS_SNAPSHOT, world.machine(0))
    ]
    assert stages[0] == 5
    assert stages[-1] == 3


def test_the_fleet_is_the_same_in_every_simulator() -> None:
    statuses = []
    for _ in range(2):
        store = Store(None)
        seed_catalog(store)
        seed_fleet(store, 4)
        statuses.append([(res.id, res.spec["hardware"], res.spec["network"]) for res in machine_statuses(store)])

    assert statuses[0] == statuses[1]
    assert sorted(id_ for id_, _, _ in statuses[0]) == sorted(machine_id(index) for index in range(4))
    assert isinstance(statuses[0][0][1]["blockdevices"][0]["size"], int)


def test_seeding_again_adds_what_is_missing_and_brings_nobody_back(tmp_path: Path) -> None:
    db = str(tmp_path / "omni.db")
    with running_world(machines=2, db=db) as world:
        world.teardown(kinds.LINK, world.machine(0))
        world.wait(lambda: world.find(kinds.LINK, world.machine(0)) is None)

    with running_world(machines=3, db=db) as world:
        ids = {res.id for res in world.all(kinds.MACHINE_STATUS)}

    assert ids == {machine_id(1), machine_id(2)}


def machine_statuses(store: Store) -> list:
    return store.list("default", kinds.MACHINE_STATUS)


def test_a_machine_request_set_makes_as_many_requests_as_it_asks_for(world: World) -> None:
    world.make(
        kinds.MACHINE_REQUEST_SET, "pool", {"provider_id": "qemu", "machine_count": 3, "talos_version": "1.13.7"}
    )
    world.wait(lambda: len(world.all(kinds.MACHINE_REQUEST)) == 3)
    request = world.all(kinds.MACHINE_REQUEST)[0]
    assert request.labels[PREFIX + "infra-provider-id"] == "qemu"

    world.set_spec(kinds.MACHINE_REQUEST_SET, "pool", machine_count=1)
    world.wait(lambda: len(world.all(kinds.MACHINE_REQUEST)) == 1)

    world.teardown(kinds.MACHINE_REQUEST_SET, "pool")
    world.wait(lambda: world.find(kinds.MACHINE_REQUEST_SET, "pool") is None)
    assert world.all(kinds.MACHINE_REQUEST) == []


def test_talos_is_installed_on_the_disk_that_was_chosen(world: World) -> None:
    world.make(kinds.MACHINE_INSTALL_DISK_CONFIG, world.machine(1), {"disk": "/dev/vdb"})
    world.wait(lambda: world.spec(kinds.MACHINE_INSTALL_DISK_STATUS, world.machine(1))["disk"] == "/dev/vdb")

    world.ready_cluster(control_planes=1, workers=1)
    world.wait(world.settled)

    assert world.spec(kinds.MACHINE_INSTALL_DISK_STATUS, world.machine(1))["disk"] == "/dev/vdb"
    assert "disk: /dev/vdb" in world.spec(kinds.REDACTED_CLUSTER_MACHINE_CONFIG, world.machine(1))["data"]
    assert world.all(kinds.MACHINE_CONFIG_DIFF) == []
