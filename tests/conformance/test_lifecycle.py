"""The life of a cluster (lifecycle.md): which states must appear and in which order; never after how many seconds.

One cluster is made, changed, locked, upgraded twice, grown, shrunk, backed up and destroyed, while watches listen; the
cases read what they heard. It needs four free machines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import grpc
import pytest

from tests.conformance.outcomes import SINCE_1_10, cases, holds, same
from tests.conformance.story import Story, goes_through, listening
from tests.conformance.versions import Versions, numbers
from tests.conformance.world import World
from tests.simulator.caller import LABEL

MACHINES = 4
pytestmark = [pytest.mark.needs_machines(MACHINES), pytest.mark.timeout(3600)]

Spec = dict[str, Any]


def _upgrades(versions: Versions, free: Callable[[str], list[str]]) -> tuple[str, str, str, str]:
    """Return Talos and Kubernetes, each with a later patch, all of which go together and the free machines can join."""
    for talos in sorted(versions.compatible, key=numbers, reverse=True):
        if len(free(talos)) < MACHINES:
            continue
        for newer in sorted(versions.compatible, key=numbers, reverse=True):
            if numbers(newer)[:2] != numbers(talos)[:2] or numbers(newer) <= numbers(talos):
                continue
            both = sorted(versions.compatible[talos] & versions.compatible[newer], key=numbers, reverse=True)
            for later, earlier in pairwise(both):
                if numbers(later)[:2] == numbers(earlier)[:2]:
                    return talos, newer, earlier, later
    pytest.skip(f"this Omni has no {MACHINES} free machines for versions with two patch releases that go together")


class Life:
    """A cluster and the steps of its life, each of which ends when Omni shows that it is done."""

    def __init__(self, world: World, story: Story) -> None:
        self.world, self.story = world, story
        self.seconds = 60.0 if world.server.simulated else 900.0
        self.name = world.name()
        free = world.server.free_machines
        self.talos, self.newer_talos, self.kubernetes, self.newer_kubernetes = _upgrades(world.versions, free)
        self.plane, *self.workers = free(self.talos)[:MACHINES]
        self.spare = self.workers.pop()
        self.planes_set, self.workers_set = f"{self.name}-control-planes", f"{self.name}-workers"

    def live(self) -> None:
        for step in (
            self.create,
            self.patch,
            self.lock,
            self.kubernetes_upgrade,
            self.talos_upgrade,
            self.up,
            self.down,
            self.backup,
            self.destroy,
        ):
            self.story.begin(step.__name__, 0.1 if self.world.server.simulated else 2.0)
            step()
        self.story.begin("after", 0.2 if self.world.server.simulated else 3.0)

    def spec(self, type_: str, id_: str, namespace: str = "default") -> Spec:
        found = self.world.there(type_, id_, namespace)
        return dict(found["spec"]) if found else {}

    def until(self, condition: Callable[[], Any], expected: str) -> None:
        self.world.until(condition, expected, self.seconds)

    def ready(self, machines: int) -> bool:
        status = self.spec("ClusterStatuses", self.name)
        sets = [self.spec("MachineSetStatuses", name) for name in (self.planes_set, self.workers_set)]
        of_machines = self.world.admin.list("ClusterMachineStatuses", f"{LABEL}cluster={self.name}")[0]
        return bool(
            status.get("ready")
            and status.get("kubernetesAPIReady")
            and status.get("machines", {}).get("healthy") == machines
            and all(found.get("phase") == 3 and found.get("ready") for found in sets)
            and all(item["spec"].get("config_up_to_date") for item in of_machines)
            and not self.world.admin.ids("MachinePendingUpdates", f"{LABEL}cluster={self.name}")
        )

    def remove(self, type_: str, id_: str) -> None:
        """Tear an object down; an older Omni leaves it tearing down when nobody holds it any more, so destroy it."""
        self.world.admin.teardown(type_, id_)
        if self.world.server.is_at_least("1.10"):
            return

        def unheld() -> bool:
            found = self.world.there(type_, id_)
            return found is None or not found["metadata"].get("finalizers")

        self.until(unheld, f"nobody holds {type_} {id_}")
        with suppress(grpc.RpcError):
            self.world.admin.delete(type_, id_)

    def create(self) -> None:
        world = self.world
        features = {"use_embedded_discovery_service": bool(world.server.features.get("embedded_discovery_service"))}
        spec = {"talos_version": self.talos, "kubernetes_version": self.kubernetes, "features": features}
        world.admin.create("Clusters", self.name, spec)
        world.machine_set(self.name, "control-planes", {"update_strategy": 1})
        world.machine_set(self.name, "workers", {"update_strategy": 1})
        self.until(
            lambda: self.spec("MachineSetStatuses", self.planes_set).get("phase") == 5, "a bare control plane fails"
        )
        self.until(lambda: self.spec("MachineSetStatuses", self.workers_set).get("ready"), "a bare worker set is ready")
        world.node(self.name, self.planes_set, self.plane)
        for worker in self.workers:
            world.node(self.name, self.workers_set, worker)
        self.until(lambda: self.ready(3), "the cluster is ready")
        self.until(lambda: self.spec("KubernetesUpgradeStatuses", self.name).get("phase") == 2, "Kubernetes is done")
        self.until(lambda: len(self.spec("KubernetesStatuses", self.name).get("nodes", [])) == 3, "three nodes")

    def patch(self) -> None:
        self.of_workers(1024)
        self.until(lambda: len(self.story.of("patch", "MachineConfigDiffs")) >= 2, "two diffs")
        self.until(lambda: self.ready(3), "the cluster is ready again")

    def of_workers(self, number: int) -> str:
        labels = {LABEL + "cluster": self.name, LABEL + "machine-set": self.workers_set}
        return self.world.patch(number, labels=labels)

    def lock(self) -> None:
        first = self.workers[0]
        self.world.annotate("MachineSetNodes", first, "locked")
        self.of_workers(2048)
        self.until(
            lambda: self.spec("MachineSetStatuses", self.workers_set).get("locked_updates") == 1, "one is held back"
        )
        self.until(
            lambda: self.spec("ClusterMachineStatuses", self.workers[1]).get("config_up_to_date"), "the other is not"
        )
        self.until(lambda: self.spec("ClusterStatuses", self.name).get("ready"), "the cluster is ready")
        self.story.begin("unlock", 0.1 if self.world.server.simulated else 2.0)
        self.story.names["held"] = self.world.there("MachinePendingUpdates", first) is not None
        self.world.write("MachineSetNodes", first, lambda read: read["metadata"]["annotations"].pop(LABEL + "locked"))
        self.until(
            lambda: not self.spec("MachineSetStatuses", self.workers_set).get("locked_updates"), "none is held back"
        )
        self.until(lambda: self.ready(3), "the cluster is ready again")

    def kubernetes_upgrade(self) -> None:
        self.world.admin.change("Clusters", self.name, kubernetes_version=self.newer_kubernetes)

        def done() -> bool:
            status = self.spec("KubernetesUpgradeStatuses", self.name)
            return (status.get("phase"), status.get("last_upgrade_version")) == (2, self.newer_kubernetes)

        self.until(done, "Kubernetes is upgraded")
        self.until(lambda: self.ready(3), "the cluster is ready again")
        self.until(
            lambda: self.world.gone("OngoingTasks", f"{self.name}-kubernetes-update", "ephemeral"), "the task ends"
        )

    def talos_upgrade(self) -> None:
        self.world.admin.change("Clusters", self.name, talos_version=self.newer_talos)

        def done() -> bool:
            status = self.spec("TalosUpgradeStatuses", self.name)
            return (status.get("phase"), status.get("last_upgrade_version")) == (2, self.newer_talos)

        self.until(done, "Talos is upgraded")
        self.until(lambda: self.ready(3), "the cluster is ready again")
        self.until(lambda: self.world.gone("OngoingTasks", f"{self.name}-talos-update", "ephemeral"), "the task ends")

    def up(self) -> None:
        self.world.node(self.name, self.workers_set, self.spare)
        self.until(lambda: self.ready(4), "four machines are ready")

    def down(self) -> None:
        self.remove("MachineSetNodes", self.spare)
        self.until(lambda: self.world.gone("ClusterMachineStatuses", self.spare), "the machine leaves")
        self.until(lambda: self.ready(3), "three machines are ready")
        self.until(lambda: self.spare in self.world.server.free_machines(), "the machine is free")
        self.story.names["left"] = self.world.admin.get("MachineStatuses", self.spare)

    def backup(self) -> None:
        now = {"backup_at": datetime.now(UTC).isoformat()}
        self.world.admin.create("EtcdManualBackups", self.name, now, namespace="ephemeral")
        self.until(lambda: self.spec("EtcdBackupStatuses", self.name, "metrics"), "an attempt")
        self.story.names["backup"] = self.spec("EtcdBackupStatuses", self.name, "metrics")
        overall = self.spec("EtcdBackupOverallStatuses", "etcdbackup-overall-status", "metrics")
        self.story.names["overall"] = overall
        self.story.names["backups"] = self.world.admin.list(
            "EtcdBackups", f"{LABEL}cluster={self.name}", namespace="external"
        )[0]

    def destroy(self) -> None:
        self.story.names["resting"] = self.resting()
        self.story.names["rollout"] = self.spec("UpgradeRollouts", self.name, "ephemeral")
        self.remove("Clusters", self.name)
        self.until(lambda: self.world.gone("ClusterStatuses", self.name), "the last status goes")
        machines = [self.plane, *self.workers]
        self.until(lambda: set(machines) <= set(self.world.server.free_machines()), "the machines are free")
        self.story.names["returned"] = [self.world.admin.get("MachineStatuses", machine) for machine in machines]

    def resting(self) -> dict[str, Any]:
        """Return the objects of a cluster at rest, by type."""
        objects = {
            "ClusterStatuses": self.name,
            "MachineSetStatuses": self.workers_set,
            "ClusterMachineStatuses": self.workers[0],
            "LoadBalancerStatuses": self.name,
            "ClusterBootstrapStatuses": self.name,
            "ControlPlaneStatuses": self.planes_set,
            "KubernetesStatuses": self.name,
            "KubernetesUpgradeStatuses": self.name,
            "TalosUpgradeStatuses": self.name,
            "MachineStatuses": self.plane,
            "ClusterEndpoints": self.name,
            "ClusterKubernetesNodes": self.name,
        }
        found = {type_: self.world.admin.get(type_, id_) for type_, id_ in objects.items()}
        found["free"] = self.world.admin.get("MachineStatuses", self.spare)
        return found

    def looks(self) -> dict[tuple[str, str], Callable[[], dict[str, bool]]]:
        """Return what to look at when something ends: whether what must end before it is gone by then."""

        def gone(*objects: tuple[str, str]) -> Callable[[], dict[str, bool]]:
            caller = self.world.by("admin")

            def look() -> dict[str, bool]:
                found = {}
                for type_, id_ in objects:
                    try:
                        caller.get(type_, id_)
                        found[type_] = False
                    except grpc.RpcError as error:
                        found[type_] = error.code() is grpc.StatusCode.NOT_FOUND
                return found

            return look

        upgrades = (("KubernetesUpgradeStatuses", self.name), ("TalosUpgradeStatuses", self.name))
        return {
            ("MachineSets", self.workers_set): gone(*upgrades),
            ("MachineSets", self.planes_set): gone(("MachineSets", self.workers_set)),
            ("Clusters", self.name): gone(("MachineSets", self.planes_set)),
            ("ClusterStatuses", self.name): gone(("Clusters", self.name)),
        }


@pytest.fixture(scope="module")
def life(shared: World) -> Iterator[Life]:
    free = len(shared.server.free_machines())
    if free < MACHINES:
        pytest.skip(f"needs {MACHINES} free machines, this Omni has {free}")
    story = Story()
    found = Life(shared, story)
    with listening(shared.by("admin"), story, found.looks()):
        found.live()
    yield found


def _machine(life: Life, who: str) -> str:
    return {"plane": life.plane, "worker": life.workers[0], "other": life.workers[1], "spare": life.spare}[who]


def _ids(life: Life) -> dict[str, str]:
    return {
        "cluster": life.name,
        "planes": life.planes_set,
        "workers": life.workers_set,
        "plane": life.plane,
        "worker": life.workers[0],
        "other": life.workers[1],
        "spare": life.spare,
    }


# stage, type, whose, field, the values in their order; None stands for a zero value, which is left out
ORDERS: list[tuple[Any, ...]] = [
    ("create", "ClusterStatuses", "cluster", "phase", [None, 1, 3]),
    ("create", "ClusterStatuses", "cluster", "available", [None, True]),
    ("create", "ClusterStatuses", "cluster", "ready", [None, True]),
    ("create", "ClusterStatuses", "cluster", "kubernetesAPIReady", [None, True]),
    ("create", "ClusterStatuses", "cluster", "controlplaneReady", [None, True]),
    ("create", "ClusterStatuses", "cluster", "has_connected_control_planes", [None, True]),
    ("create", "MachineSetStatuses", "planes", "phase", [5, 1, 6, 3]),
    ("create", "MachineSetStatuses", "workers", "phase", [3, 1, 6, 3]),
    ("create", "ClusterMachineStatuses", "plane", "stage", [3, 4]),
    ("create", "ClusterMachineStatuses", "worker", "stage", [3, 4]),
    ("create", "ClusterMachineStatuses", "plane", "config_apply_status", [1, 2]),
    ("create", "ClusterMachineStatuses", "worker", "config_apply_status", [1, 2]),
    ("create", "ClusterMachineStatuses", "worker", "config_up_to_date", [None, True]),
    ("create", "ClusterMachineStatuses", "plane", "ready", [None, True]),
    ("create", "ClusterBootstrapStatuses", "cluster", "bootstrapped", [None, True]),
    ("create", "LoadBalancerStatuses", "cluster", "stopped", [True, None]),
    ("create", "LoadBalancerStatuses", "cluster", "healthy", [None, True]),
    ("create", "KubernetesUpgradeStatuses", "cluster", "phase", [1, 2]),
    ("create", "MachineStatuses", "plane", "role", [None, 1]),
    ("create", "MachineStatuses", "worker", "role", [None, 2]),
    ("create", "MachineStatuses", "plane", "maintenance", [True, None]),
    ("patch", "ClusterMachineStatuses", "worker", "config_apply_status", [2, 1, 2]),
    ("patch", "ClusterMachineStatuses", "other", "config_apply_status", [2, 1, 2]),
    ("patch", "ClusterMachineStatuses", "worker", "config_up_to_date", [True, None, True]),
    ("patch", "MachineSetStatuses", "workers", "phase", [3, 6, 3]),
    ("patch", "MachineSetStatuses", "workers", "ready", [True, None, True]),
    ("patch", "ClusterStatuses", "cluster", "ready", [True, None, True]),
    ("lock", "MachineSetStatuses", "workers", "locked_updates", [None, 1]),
    ("unlock", "MachineSetStatuses", "workers", "locked_updates", [1, None]),
    ("unlock", "ClusterMachineStatuses", "worker", "config_up_to_date", [None, True]),
    ("kubernetes_upgrade", "KubernetesUpgradeStatuses", "cluster", "phase", [2, 1, 2]),
    (
        "kubernetes_upgrade",
        "KubernetesUpgradeStatuses",
        "cluster",
        "last_upgrade_version",
        ["{kubernetes}", "{newer_kubernetes}"],
    ),
    (
        "kubernetes_upgrade",
        "KubernetesUpgradeStatuses",
        "cluster",
        "current_upgrade_version",
        [None, "{newer_kubernetes}", None],
    ),
    ("kubernetes_upgrade", "MachineSetStatuses", "workers", "phase", [3, 6, 3]),
    ("kubernetes_upgrade", "MachineSetStatuses", "planes", "phase", [3, 6, 3]),
    ("talos_upgrade", "TalosUpgradeStatuses", "cluster", "phase", [2, 1, 2]),
    ("talos_upgrade", "TalosUpgradeStatuses", "cluster", "last_upgrade_version", ["{talos}", "{newer_talos}"]),
    ("talos_upgrade", "TalosUpgradeStatuses", "cluster", "current_upgrade_version", [None, "{newer_talos}", None]),
    ("talos_upgrade", "MachineSetStatuses", "planes", "phase", [3, 7, 3]),
    ("talos_upgrade", "MachineSetStatuses", "workers", "phase", [3, 7, 3]),
    ("talos_upgrade", "ClusterMachineStatuses", "plane", "stage", [4, 7, 4]),
    ("talos_upgrade", "ClusterMachineStatuses", "worker", "stage", [4, 7, 4]),
    ("talos_upgrade", "MachineStatuses", "plane", "talos_version", ["v{talos}", "v{newer_talos}"]),
    ("talos_upgrade", "MachineStatuses", "worker", "talos_version", ["v{talos}", "v{newer_talos}"]),
    ("up", "MachineSetStatuses", "workers", "phase", [3, 1, 3]),
    ("up", "ClusterStatuses", "cluster", "phase", [3, 1, 3]),
    ("up", "ClusterMachineStatuses", "spare", "stage", [3, 4]),
    ("up", "MachineStatuses", "spare", "cluster", [None, "{name}"]),
    # Omni 1.7 was seen to go from 4 to 5 at once.
    ("down", "ClusterMachineStatuses", "spare", "stage", [4, 9, 5], SINCE_1_10),
    ("down", "MachineSetStatuses", "workers", "phase", [3, 2, 3]),
    ("down", "ClusterStatuses", "cluster", "phase", [3, 2, 3]),
    ("down", "MachineStatuses", "spare", "cluster", ["{name}", None]),
    ("down", "MachineStatuses", "spare", "maintenance", [None, True]),
    ("destroy", "ClusterStatuses", "cluster", "phase", [3, 4]),
    ("destroy", "ClusterStatuses", "cluster", "ready", [True, None]),
    ("destroy", "ClusterStatuses", "cluster", "kubernetesAPIReady", [True, None]),
    ("destroy", "MachineSetStatuses", "workers", "phase", [3, 4]),
    ("destroy", "MachineSetStatuses", "planes", "phase", [3, 4]),
    ("destroy", "LoadBalancerStatuses", "cluster", "healthy", [True, None]),
    ("destroy", "MachineStatuses", "plane", "role", [1, None]),
]


@pytest.mark.parametrize(
    ("stage", "type_", "whose", "field", "wanted"),
    cases("lifecycle.md", [(f"{row[0]}, {row[1]} of the {row[2]}, {row[3]}", *row) for row in ORDERS]),
)
def test_states_appear_in_this_order(
    life: Life, stage: str, type_: str, whose: str, field: str, wanted: list[Any]
) -> None:
    filled = [value.format(**vars(life)) if isinstance(value, str) else value for value in wanted]
    goes_through(life.story.values(stage, type_, _ids(life)[whose], field), *filled)


COMINGS: list[tuple[str, str, str, list[str]]] = [
    ("create", "KubernetesStatuses", "{name}", ["created"]),
    ("create", "ControlPlaneStatuses", "{planes_set}", ["created"]),
    ("create", "ConfigPatches", "950-discovery-service-{name}", ["created"]),
    ("patch", "MachinePendingUpdates", "{worker}", ["created", "destroyed"]),
    ("patch", "MachinePendingUpdates", "{other}", ["created", "destroyed"]),
    ("lock", "MachinePendingUpdates", "{other}", ["created", "destroyed"]),
    ("lock", "MachinePendingUpdates", "{worker}", ["created"]),
    ("unlock", "MachinePendingUpdates", "{worker}", ["destroyed"]),
    ("kubernetes_upgrade", "OngoingTasks", "{name}-kubernetes-update", ["created", "destroyed"]),
    ("kubernetes_upgrade", "ImagePullRequests", "{name}", ["created"]),
    ("kubernetes_upgrade", "ImagePullStatuses", "{name}", ["created"]),
    ("kubernetes_upgrade", "ConfigPatches", "900-cm-{plane}-kubernetes-upgrade", ["created"]),
    ("kubernetes_upgrade", "ConfigPatches", "900-cm-{worker}-kubernetes-upgrade", ["created"]),
    ("talos_upgrade", "OngoingTasks", "{name}-talos-update", ["created", "destroyed"]),
    ("down", "ClusterMachineStatuses", "{spare}", ["destroyed"]),
    ("backup", "EtcdBackupStatuses", "{name}", ["created"]),
    ("destroy", "OngoingTasks", "{name}-destroy", ["created", "destroyed"]),
    ("destroy", "ClusterDestroyStatuses", "{name}", ["created", "destroyed"]),
    ("destroy", "MachineSetDestroyStatuses", "{workers_set}", ["created", "destroyed"]),
    ("destroy", "ClusterStatuses", "{name}", ["destroyed"]),
    ("destroy", "Clusters", "{name}", ["destroyed"]),
    ("destroy", "KubernetesStatuses", "{name}", ["destroyed"]),
    ("destroy", "KubernetesUpgradeStatuses", "{name}", ["destroyed"]),
    ("destroy", "TalosUpgradeStatuses", "{name}", ["destroyed"]),
    ("destroy", "EtcdBackupStatuses", "{name}", ["destroyed"]),
]


@pytest.mark.parametrize(
    ("stage", "type_", "id_", "wanted"),
    cases(
        "lifecycle.md", [(f"{row[0]}, {row[1]} {row[2]}".replace("{", "").replace("}", ""), *row) for row in COMINGS]
    ),
)
def test_objects_come_and_go(life: Life, stage: str, type_: str, id_: str, wanted: list[str]) -> None:
    if "discovery" in id_ and not life.world.server.features.get("embedded_discovery_service"):
        pytest.skip("this Omni has no embedded discovery service")
    name = id_.format(**{**vars(life), "worker": life.workers[0], "other": life.workers[1]})
    goes_through(life.story.kinds(stage, type_, name), *wanted)


# -- the resting state

RESTING: list[tuple[str, str, dict[str, Any]]] = [
    (
        "ClusterStatus",
        "ClusterStatuses",
        {
            "available": True,
            "phase": 3,
            "ready": True,
            "kubernetesAPIReady": True,
            "controlplaneReady": True,
            "has_connected_control_planes": True,
            "machines": {"total": 3, "healthy": 3, "connected": 3, "requested": 3},
        },
    ),
    (
        "MachineSetStatus",
        "MachineSetStatuses",
        {
            "phase": 3,
            "ready": True,
            "error": None,
            "locked_updates": None,
            "machines": {"total": 2, "healthy": 2, "connected": 2, "requested": 2},
        },
    ),
    (
        "ClusterMachineStatus",
        "ClusterMachineStatuses",
        {
            "ready": True,
            "stage": 4,
            "config_up_to_date": True,
            "config_apply_status": 2,
            "last_config_error": None,
            "is_removed": None,
        },
    ),
    ("LoadBalancerStatus", "LoadBalancerStatuses", {"healthy": True, "stopped": None}),
    ("ClusterBootstrapStatus", "ClusterBootstrapStatuses", {"bootstrapped": True}),
    (
        "KubernetesUpgradeStatus",
        "KubernetesUpgradeStatuses",
        {
            "phase": 2,
            "step": None,
            "status": None,
            "error": None,
            "last_upgrade_version": "{newer_kubernetes}",
            "current_upgrade_version": None,
        },
    ),
    (
        "TalosUpgradeStatus",
        "TalosUpgradeStatuses",
        {"phase": 2, "last_upgrade_version": "{newer_talos}", "current_upgrade_version": None},
    ),
    (
        "MachineStatus of a member",
        "MachineStatuses",
        {"connected": True, "maintenance": None, "cluster": "{name}", "role": 1, "talos_version": "v{newer_talos}"},
    ),
    (
        "MachineStatus of a free machine",
        "free",
        {"connected": True, "maintenance": True, "cluster": None, "role": None},
    ),
]


@pytest.mark.parametrize(("type_", "wanted"), cases("lifecycle.md resting state", [(a, b, c) for a, b, c in RESTING]))
def test_a_cluster_at_rest(life: Life, type_: str, wanted: dict[str, Any]) -> None:
    filled = {key: value.format(**vars(life)) if isinstance(value, str) else value for key, value in wanted.items()}
    spec = life.story.names["resting"][type_]["spec"]
    same(filled, {key: spec.get(key) for key in filled})


def test_lifecycle_resting_the_control_planes_two_conditions_are_ready(life: Life) -> None:
    conditions = life.story.names["resting"]["ControlPlaneStatuses"]["spec"]["conditions"]
    same({(1, 1), (2, 1)}, {(found["type"], found["status"]) for found in conditions})


def test_lifecycle_resting_kubernetes_tells_of_nodes_and_static_pods(life: Life) -> None:
    spec = life.story.names["resting"]["KubernetesStatuses"]["spec"]
    same({life.newer_kubernetes}, {node["kubelet_version"].removeprefix("v") for node in spec["nodes"]})
    apps = {pod["app"] for item in spec["static_pods"] for pod in item.get("static_pods", [])}
    same({"kube-apiserver", "kube-controller-manager", "kube-scheduler"}, apps)


def test_lifecycle_resting_labels_of_a_member(life: Life) -> None:
    labels = life.story.names["resting"]["MachineStatuses"]["metadata"]["labels"]
    wanted = {
        "cluster": life.name,
        "machine-set": life.planes_set,
        "role-controlplane": "",
        "installed": "",
        "connected": "",
    }
    same(wanted, {key: labels.get(LABEL + key) for key in wanted})
    holds(LABEL + "available" not in labels, "no label available", labels)


@pytest.mark.parametrize(
    "key",
    cases(
        "lifecycle.md labels of a free machine",
        [
            (key, key)
            for key in (
                "available",
                "connected",
                "ready-to-use",
                "reporting-events",
                "arch",
                "cores",
                "cpu",
                "mem",
                "platform",
                "storage",
                "talos-version",
            )
        ],
    ),
)
def test_a_free_machine_is_labelled(life: Life, key: str) -> None:
    labels = life.story.names["resting"]["free"]["metadata"]["labels"]
    holds(LABEL + key in labels, f"the label {key}", sorted(labels))


def test_lifecycle_resting_upgrade_versions_tell_older_ones_too(life: Life) -> None:
    spec = life.story.names["resting"]
    holds(
        life.kubernetes in spec["KubernetesUpgradeStatuses"]["spec"]["upgrade_versions"],
        f"{life.kubernetes} is offered",
        spec["KubernetesUpgradeStatuses"]["spec"]["upgrade_versions"],
    )
    holds(
        life.talos in spec["TalosUpgradeStatuses"]["spec"]["upgrade_versions"],
        f"{life.talos} is offered",
        spec["TalosUpgradeStatuses"]["spec"]["upgrade_versions"],
    )


# -- create


def test_lifecycle_create_phase_running_means_nothing_about_health(life: Life) -> None:
    told = life.story.of("create", "ClusterStatuses", life.name)
    holds(any(e.spec.get("phase") == 3 and not e.spec.get("ready") for e in told), "RUNNING (3) before ready", "never")


def test_lifecycle_create_ready_comes_before_the_kubernetes_api(life: Life) -> None:
    told = life.story.of("create", "ClusterStatuses", life.name)
    holds(
        any(e.spec.get("ready") and not e.spec.get("kubernetesAPIReady") for e in told),
        "ready without the API",
        "never",
    )


def test_lifecycle_create_a_bare_control_plane_says_what_it_needs(life: Life) -> None:
    told = [e for e in life.story.of("create", "MachineSetStatuses", life.planes_set) if e.spec.get("phase") == 5]
    holds(told and told[0].spec.get("error"), "an error with phase Failed (5)", [e.spec for e in told])


@pytest.mark.parametrize(
    "who", cases("lifecycle.md create, MachineStatus labels", [("plane", "plane"), ("worker", "worker")])
)
def test_a_machine_that_joins_is_available_no_more(life: Life, who: str) -> None:
    told = [LABEL + "available" in e.labels for e in life.story.of("create", "MachineStatuses", _machine(life, who))]
    holds(told and not told[-1], "available goes", told)
    installed = [
        LABEL + "installed" in e.labels for e in life.story.of("create", "MachineStatuses", _machine(life, who))
    ]
    holds(installed[-1], "installed comes", installed)


# -- configuration


def test_lifecycle_patch_the_clusters_phase_stays(life: Life) -> None:
    same([3], life.story.values("patch", "ClusterStatuses", life.name, "phase"))


def test_lifecycle_patch_no_reboot(life: Life) -> None:
    for worker in life.workers:
        stages = life.story.values("patch", "ClusterMachineStatuses", worker, "stage")
        holds(7 not in stages, "no REBOOTING (7)", stages)


def test_lifecycle_patch_a_diff_per_machine_named_by_its_time(life: Life) -> None:
    ids = [event.id for event in life.story.of("patch", "MachineConfigDiffs") if event.kind == "created"]
    for worker in life.workers:
        found = [id_ for id_ in ids if re.fullmatch(rf"{worker}-\d{{4}}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", id_)]
        holds(found, f"a diff {worker}-<RFC 3339>", ids)


def test_lifecycle_patch_a_pending_update_tells_the_difference(life: Life) -> None:
    told = [e.spec.get("config_diff") for e in life.story.of("patch", "MachinePendingUpdates") if e.kind == "created"]
    holds(told and all("1024" in str(diff) for diff in told), "config_diff names the change", told)


def test_lifecycle_lock_the_set_stays_running_and_ready(life: Life) -> None:
    held = [e.spec for e in life.story.of("lock", "MachineSetStatuses", life.workers_set)][-1]
    same((3, True, 1), (held.get("phase"), held.get("ready"), held.get("locked_updates")))
    same(True, life.story.names["held"])


# -- upgrades

STEPS = ("kube-apiserver", "controller-manager", "scheduler", "kubelet")


def _steps(life: Life) -> list[str]:
    return [s for s in life.story.values("kubernetes_upgrade", "KubernetesUpgradeStatuses", life.name, "step") if s]


def test_lifecycle_kubernetes_components_come_in_this_order(life: Life) -> None:
    steps = [step for step in _steps(life) if life.newer_kubernetes in step]
    order = list(dict.fromkeys(name for step in steps for name in STEPS if name in step and "/" not in step))
    same(list(STEPS), order)


def test_lifecycle_kubernetes_kubelets_follow_in_the_order_of_their_nodes_names(life: Life) -> None:
    nodes = life.story.names["resting"]["ClusterKubernetesNodes"]["spec"]["nodes"]
    kubelets = [
        node for step in _steps(life) if "kubelet" in step and "/" not in step for node in nodes if node in step
    ]
    same(sorted(nodes), list(dict.fromkeys(kubelets)))


@pytest.mark.parametrize(
    ("stage", "type_"),
    cases(
        "lifecycle.md upgrade_versions is empty while it runs",
        [
            ("Kubernetes", "kubernetes_upgrade", "KubernetesUpgradeStatuses", SINCE_1_10),
            ("Talos", "talos_upgrade", "TalosUpgradeStatuses"),
        ],
    ),
)
def test_nothing_is_offered_while_an_upgrade_runs(life: Life, stage: str, type_: str) -> None:
    running = [e.spec for e in life.story.of(stage, type_, life.name) if e.spec.get("phase") == 1]
    holds(running, "events with phase Upgrading (1)", running)
    same(
        [None],
        list(
            {
                str(spec.get("upgrade_versions") or None): spec.get("upgrade_versions") or None for spec in running
            }.values()
        ),
    )


@SINCE_1_10
def test_lifecycle_kubernetes_images_are_counted(life: Life) -> None:
    """Of a control plane and two workers; Omni 1.7 counts seven."""
    told = life.story.values("kubernetes_upgrade", "KubernetesUpgradeStatuses", life.name, "status")
    holds(
        any(re.findall(r"\d+", str(status))[1:2] == ["6"] for status in told),
        "a status that counts n of 6 images",
        told,
    )


@pytest.mark.parametrize(
    ("stage", "id_", "detail"),
    cases(
        "lifecycle.md OngoingTask",
        [
            ("Kubernetes", "kubernetes_upgrade", "{}-kubernetes-update", "kubernetes_upgrade"),
            ("Talos", "talos_upgrade", "{}-talos-update", "talos_upgrade"),
            ("destroy", "destroy", "{}-destroy", "destroy"),
        ],
    ),
)
def test_long_work_is_a_task(life: Life, stage: str, id_: str, detail: str) -> None:
    told = [event.spec for event in life.story.of(stage, "OngoingTasks", id_.format(life.name))]
    holds(told, "a task", told)
    same(life.name, told[0]["resource_id"])
    holds(life.name in told[0]["title"], "a title that names the cluster", told[0]["title"])
    holds(detail in told[0], f"details of {detail}", sorted(told[0]))


def test_lifecycle_talos_the_control_plane_goes_first_then_the_workers_one_by_one(life: Life) -> None:
    versions: dict[str, str] = {}
    order = []
    for event in life.story.of("talos_upgrade", "MachineStatuses"):
        before = versions.get(event.id, f"v{life.talos}")
        versions[event.id] = event.spec.get("talos_version", "")
        if (before, versions[event.id]) == (f"v{life.talos}", f"v{life.newer_talos}"):
            order.append(event.id)
    same(life.plane, order[0] if order else None)
    same({life.plane, *life.workers}, set(order))


def test_lifecycle_talos_machines_are_counted(life: Life) -> None:
    told = life.story.values("talos_upgrade", "TalosUpgradeStatuses", life.name, "status")
    counts = [tuple(re.findall(r"\d+", str(status))) for status in told]
    goes_through(counts, ("1", "3"), ("2", "3"), ("3", "3"))


def test_lifecycle_talos_one_machine_reboots_at_a_time(life: Life) -> None:
    rebooting: set[str] = set()
    most = 0
    for event in life.story.of("talos_upgrade", "ClusterMachineStatuses"):
        (rebooting.add if event.spec.get("stage") == 7 else rebooting.discard)(event.id)
        most = max(most, len(rebooting))
    same(1, most)


def test_lifecycle_talos_the_rollout_has_a_quota_of_one(life: Life) -> None:
    quotas = life.story.names["rollout"].get("machine_sets_upgrade_quota")
    same({life.planes_set: 1, life.workers_set: 1}, quotas)


# -- scaling


def test_lifecycle_up_a_machine_is_requested_before_it_counts(life: Life) -> None:
    told = [event.spec.get("machines", {}) for event in life.story.of("up", "MachineSetStatuses", life.workers_set)]
    holds(any(found.get("requested") == 3 and found.get("total", 0) == 2 for found in told), "requested 3 of 2", told)


def test_lifecycle_up_the_new_machine_gets_the_clusters_talos(life: Life) -> None:
    told = life.story.values("up", "MachineStatuses", life.spare, "talos_version")
    same(f"v{life.newer_talos}", told[-1])


def test_lifecycle_down_the_machine_is_free_again_and_stays_installed(life: Life) -> None:
    labels = life.story.names["left"]["metadata"]["labels"]
    same((True, True, False), tuple(LABEL + key in labels for key in ("available", "installed", "cluster")))
    same(f"v{life.newer_talos}", life.story.names["left"]["spec"]["talos_version"])


def test_lifecycle_down_the_discovery_service_is_told(life: Life) -> None:
    if not life.world.server.features.get("embedded_discovery_service"):
        pytest.skip("this Omni has no embedded discovery service")
    told = life.story.of("down", "DiscoveryAffiliateDeleteTasks")
    holds(any(event.kind == "created" for event in told), "a DiscoveryAffiliateDeleteTask", told)


# -- backup


def _needs_snapshots(life: Life) -> None:
    error = str(life.story.names["backup"].get("error") or "")
    if "EtcdSnapshot not implemented" in error:
        pytest.skip(f"needs machines whose Talos takes snapshots of etcd: {error}")


def test_lifecycle_backup_a_good_one_is_told_everywhere(life: Life) -> None:
    _needs_snapshots(life)
    status, overall = life.story.names["backup"], life.story.names["overall"]
    same((1, None), (status.get("status"), status.get("error")))
    same(status["last_backup_time"], status["last_backup_attempt"])
    same(status, overall["last_backup_status"])


def test_lifecycle_backup_it_is_listed(life: Life) -> None:
    _needs_snapshots(life)
    found = life.story.names["backups"]
    same(1, len(found))
    meta, spec = found[0]["metadata"], found[0]["spec"]
    holds(re.fullmatch(rf"{life.name}-\d+", meta["id"]), "<cluster>-<seconds>", meta["id"])
    holds(re.fullmatch(r"[0-9A-F]{16}\.snapshot", spec["snapshot"]), "16 hex digits.snapshot", spec["snapshot"])
    same(life.name, meta["labels"].get(LABEL + "cluster"))
    holds(LABEL + "cluster-uuid" in meta["labels"], "the label cluster-uuid", meta["labels"])
    seconds = int(meta["id"].rpartition("-")[2])
    same(2**64 - seconds, int(spec["snapshot"].partition(".")[0], 16))


# -- the end

ENDS: list[tuple[Any, ...]] = [
    ("the upgrade statuses before the worker set", "MachineSets", "workers", "KubernetesUpgradeStatuses"),
    ("Talos's too", "MachineSets", "workers", "TalosUpgradeStatuses"),
    ("the worker set before the control planes'", "MachineSets", "planes", "MachineSets"),
    ("the control planes' set before the cluster", "Clusters", "cluster", "MachineSets"),
    # An older Omni leaves the cluster tearing down until it is destroyed from outside.
    ("the cluster before its status", "ClusterStatuses", "cluster", "Clusters", SINCE_1_10),
]


@pytest.mark.parametrize(("type_", "whose", "before"), cases("lifecycle.md destroy", ENDS))
def test_things_end_in_this_order(life: Life, type_: str, whose: str, before: str) -> None:
    same(True, life.story.gone_by_then.get((type_, _ids(life)[whose]), {}).get(before))


def test_lifecycle_destroy_a_control_plane_leaves_when_no_worker_is_left(life: Life) -> None:
    told = life.story.of("destroy", "ClusterMachineStatuses")
    leaves = [
        index
        for index, event in enumerate(told)
        if event.id == life.plane and (event.kind == "destroyed" or event.spec.get("stage") in (5, 9))
    ]
    gone = {event.id for event in told[: leaves[0]] if event.kind == "destroyed"}
    same(set(life.workers), gone)


def test_lifecycle_destroy_the_phase_counts_down_to_nothing(life: Life) -> None:
    told = life.story.values("destroy", "ClusterDestroyStatuses", life.name, "phase")
    counts = [tuple(int(number) for number in re.findall(r"\d+", str(phase))) for phase in told if phase]
    holds(counts and all(len(found) == 2 for found in counts), "sets and machines are counted", told)
    same((2, 3), counts[0])
    same(sorted(counts, reverse=True), counts)


def test_lifecycle_destroy_machines_return_and_keep_their_talos(life: Life) -> None:
    for machine in life.story.names["returned"]:
        spec = machine["spec"]
        same((None, None, True), (spec.get("cluster"), spec.get("role"), spec.get("maintenance")))
        same(f"v{life.newer_talos}", spec["talos_version"])
        holds(LABEL + "available" in machine["metadata"]["labels"], "available", machine["metadata"]["labels"])
