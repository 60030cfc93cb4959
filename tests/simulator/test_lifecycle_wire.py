"""Whatever the controllers write can go over the wire: each spec has the fields of its message, and their types."""

from __future__ import annotations

from datetime import UTC, datetime

from omni_gateway.simulator import kinds
from omni_gateway.simulator.machines.hardware import begin, reboot_steps
from omni_gateway.simulator.wire import codec
from omni_gateway.simulator.wire.types import catalogue
from tests.simulator.machine_world import World, running_world


def live_through_everything(world: World) -> None:
    world.ready_cluster()
    world.set_spec(kinds.CLUSTER, "c1", features={"enable_workload_proxy": True, "disk_encryption": True})
    world.make(kinds.EXTENSIONS_CONFIGURATION, "x", {"extensions": ["siderolabs/zfs"]}, cluster="c1")
    world.make(kinds.KERNEL_ARGS, world.machine(1), {"args": ["console=ttyS0"]})
    world.make(kinds.CONFIG_PATCH, "p", {"data": "machine:\n  env:\n    A: b\n"}, cluster="c1")
    world.make(kinds.ETCD_MANUAL_BACKUP, "c1", {"backup_at": datetime.now(UTC).isoformat()})
    world.make(kinds.ROTATE_TALOS_CA, "c1")
    world.make(kinds.MACHINE_REQUEST_SET, "pool", {"provider_id": "qemu", "machine_count": 1})
    begin(world.store, world.machine(4), reboot_steps())
    world.wait(world.settled)
    world.set_spec(kinds.CLUSTER, "c1", kubernetes_version="1.35.7", talos_version="1.13.8")
    world.wait(lambda: world.spec(kinds.TALOS_UPGRADE_STATUS, "c1")["last_upgrade_version"] == "1.13.8")
    world.wait(lambda: world.spec(kinds.KUBERNETES_UPGRADE_STATUS, "c1")["last_upgrade_version"] == "1.35.7")
    world.wait(world.settled)
    world.teardown(kinds.CLUSTER, "c1")
    world.wait(lambda: world.find(kinds.CLUSTER, "c1") is None and world.settled())


def test_every_spec_that_was_ever_written_has_the_shape_of_its_message() -> None:
    known = catalogue()
    with running_world() as world:
        live_through_everything(world)
        resources = [event.new for event in world.events]
        resources += [res for bucket in known.values() for res in world.store.view(bucket.namespace, bucket.name)]

    seen = set()
    for res in resources:
        message = known[res.type].message if res.type in known else None
        if message is not None:
            seen.add(res.type)
            codec.decode(message, codec.encode(message, res.spec))
    assert len(seen) > 60


def test_every_resource_is_in_the_namespace_of_its_type() -> None:
    known = catalogue()
    with running_world() as world:
        live_through_everything(world)

    misplaced = {
        (event.new.type, event.new.namespace)
        for event in world.events
        if event.new.type in known and known[event.new.type].namespace != event.new.namespace
    }
    assert misplaced == set()


def test_kernel_arguments_of_a_member_come_with_an_upgrade_of_its_schematic() -> None:
    with running_world() as world:
        world.ready_cluster()

        world.make(kinds.KERNEL_ARGS, world.machine(1), {"args": ["console=ttyS0"]})

        world.wait(lambda: world.spec(kinds.KERNEL_ARGS_STATUS, world.machine(1))["current_args"] == ["console=ttyS0"])
        world.wait(world.ready)
        assert 5 in [spec["phase"] for spec in world.history(kinds.TALOS_UPGRADE_STATUS, "c1")]
