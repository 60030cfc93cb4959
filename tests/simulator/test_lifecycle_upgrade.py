"""Upgrades of Kubernetes and of Talos, changes of configuration, and what holds them back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.kubernetes import bootstrap_manifests
from tests.simulator.machine_world import World, running_world

PATCH = "machine:\n  sysctls:\n    vm.max_map_count: '262144'\n"


@pytest.fixture
def world() -> Iterator[World]:
    with running_world() as found:
        found.ready_cluster()
        yield found


def kubernetes_done(world: World, version: str) -> bool:
    status = world.spec(kinds.KUBERNETES_UPGRADE_STATUS, "c1")
    return status["phase"] == 2 and status["last_upgrade_version"] == version


def talos_done(world: World, version: str) -> bool:
    status = world.spec(kinds.TALOS_UPGRADE_STATUS, "c1")
    return status["phase"] == 2 and status["last_upgrade_version"] == version


def components(world: World, index: int) -> set[str]:
    return set(world.spec(kinds.EMULATED_MACHINE, world.machine(index))["components"].values())


def test_a_kubernetes_upgrade_ends_with_every_component_on_the_new_version(world: World) -> None:
    world.set_spec(kinds.CLUSTER, "c1", kubernetes_version="1.35.7")

    world.wait(lambda: kubernetes_done(world, "1.35.7"))

    assert [components(world, index) for index in range(3)] == [{"1.35.7"}] * 3
    assert "1.35.6" in world.spec(kinds.KUBERNETES_UPGRADE_STATUS, "c1")["upgrade_versions"]
    assert world.spec(kinds.IMAGE_PULL_STATUS, "c1")["processed_count"] == 6
    assert world.find(kinds.CONFIG_PATCH, f"900-cm-{world.machine(0)}-kubernetes-upgrade") is not None


def test_a_request_for_images_of_no_cluster_has_a_status_until_it_is_removed(world: World) -> None:
    images = [{"node": "node-1", "images": ["a", "b"]}]

    world.make(kinds.IMAGE_PULL_REQUEST, "by-hand", {"node_image_list": images})

    # One status for the request, and one for each image: the controllers come to rest.
    world.wait(lambda: world.spec(kinds.IMAGE_PULL_STATUS, "by-hand").get("processed_count") == 2 and world.settled())
    history = world.history(kinds.IMAGE_PULL_STATUS, "by-hand")
    assert [spec["processed_count"] for spec in history] == [0, 1, 2]

    world.store.destroy(namespace_of(kinds.IMAGE_PULL_REQUEST), kinds.IMAGE_PULL_REQUEST, "by-hand")

    world.wait(lambda: world.find(kinds.IMAGE_PULL_STATUS, "by-hand") is None and world.settled())


def test_writing_the_old_version_back_reverts_a_kubernetes_upgrade(world: World) -> None:
    world.set_spec(kinds.CLUSTER, "c1", kubernetes_version="1.35.7")
    world.wait(lambda: "1.35.7" in components(world, 0))

    world.set_spec(kinds.CLUSTER, "c1", kubernetes_version="1.35.6")

    world.wait(lambda: kubernetes_done(world, "1.35.6") and components(world, 0) == {"1.35.6"})
    assert 4 in [spec["phase"] for spec in world.history(kinds.KUBERNETES_UPGRADE_STATUS, "c1")]


def test_upgrades_wait_while_the_cluster_is_locked(world: World) -> None:
    world.annotate(kinds.CLUSTER, "c1", "cluster-locked")
    world.set_spec(kinds.CLUSTER, "c1", talos_version="1.13.8")

    world.wait(lambda: "unlocked" in world.spec(kinds.TALOS_UPGRADE_STATUS, "c1").get("step", ""))
    assert world.spec(kinds.EMULATED_MACHINE, world.machine(0))["talos_version"] == "1.13.7"

    world.change(kinds.CLUSTER, "c1", lambda res: res.annotations.clear())
    world.wait(lambda: talos_done(world, "1.13.8"))


def test_extensions_change_the_schematic_and_the_machine_is_upgraded_to_it(world: World) -> None:
    before = world.spec(kinds.SCHEMATIC_CONFIGURATION, world.machine(1))["schematic_id"]
    wanted = {"extensions": ["siderolabs/iscsi-tools"]}

    world.make(kinds.EXTENSIONS_CONFIGURATION, "x", wanted, cluster="c1", cluster_machine=world.machine(1))

    world.wait(
        lambda: world.spec(kinds.MACHINE_STATUS, world.machine(1))["schematic"]["extensions"] == wanted["extensions"]
    )
    assert world.spec(kinds.MACHINE_EXTENSIONS, world.machine(1)) == wanted
    assert world.spec(kinds.SCHEMATIC_CONFIGURATION, world.machine(1))["schematic_id"] != before
    world.wait(lambda: talos_done(world, "1.13.7") and world.ready())
    phases = {item["phase"] for item in world.spec(kinds.MACHINE_EXTENSIONS_STATUS, world.machine(1))["extensions"]}
    assert phases == {0}
    assert 5 in [spec["phase"] for spec in world.history(kinds.TALOS_UPGRADE_STATUS, "c1")]


def test_a_rotation_of_secrets_goes_through_its_phases_each_time_it_is_asked_for(world: World) -> None:
    world.make(kinds.ROTATE_TALOS_CA, "c1")

    def phases() -> list[int]:
        return [spec.get("phase", 0) for spec in world.history(kinds.CLUSTER_SECRETS_ROTATION_STATUS, "c1")]

    world.wait(lambda: phases()[-4:] == [1, 2, 3, 0])
    world.change(kinds.ROTATE_TALOS_CA, "c1", lambda res: res.labels.update({"again": ""}))
    world.wait(lambda: phases()[-8:] == [1, 2, 3, 0, 1, 2, 3, 0])
    assert world.history(kinds.ONGOING_TASK, "c1-secret-rotation")


def test_manifests_of_the_workload_proxy_are_in_place_where_it_is_on(world: World) -> None:
    world.set_spec(kinds.CLUSTER, "c1", features={"enable_workload_proxy": True})

    world.wait(lambda: world.spec(kinds.CLUSTER_KUBERNETES_MANIFESTS_STATUS, "c1").get("total") == 4)


def test_manifests_of_talos_are_out_of_sync_after_an_upgrade_until_they_are_applied(world: World) -> None:
    world.set_spec(kinds.CLUSTER, "c1", kubernetes_version="1.35.7")
    world.wait(lambda: world.spec(kinds.KUBERNETES_UPGRADE_MANIFEST_STATUS, "c1") == {"out_of_sync": 2})

    bootstrap_manifests.note_applied(world.store, "c1")
    world.wait(lambda: world.spec(kinds.KUBERNETES_UPGRADE_MANIFEST_STATUS, "c1") == {})
