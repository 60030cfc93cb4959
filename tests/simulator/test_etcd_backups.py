"""Backups of etcd: by hand, by the clock, and when there is nothing to take one of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from omni_gateway.simulator import kinds
from tests.simulator.machine_world import World, running_world


@pytest.fixture
def world() -> Iterator[World]:
    with running_world(machines=2) as found:
        yield found


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def test_a_second_request_makes_a_second_backup(world: World) -> None:
    world.ready_cluster(control_planes=1, workers=0)
    world.make(kinds.ETCD_MANUAL_BACKUP, "c1", {"backup_at": now()})
    first = world.wait(lambda: world.spec(kinds.ETCD_BACKUP_STATUS, "c1"))

    world.set_spec(kinds.ETCD_MANUAL_BACKUP, "c1", backup_at=now())

    world.wait(lambda: world.spec(kinds.ETCD_BACKUP_STATUS, "c1") != first)


def test_a_cluster_that_is_configured_for_it_is_backed_up_again_and_again(world: World) -> None:
    world.ready_cluster(control_planes=1, workers=0)
    world.set_spec(kinds.CLUSTER, "c1", backup_configuration={"enabled": True, "interval": "30s"})

    first = world.wait(lambda: world.spec(kinds.ETCD_BACKUP_STATUS, "c1"))
    world.wait(lambda: world.spec(kinds.ETCD_BACKUP_STATUS, "c1") != first)
