"""The end of objects: teardown, delete, auto-destroy and its races (cluster-side §1.5, §14, §16 p7, p7b, p11)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.conformance.outcomes import (
    DEADLINE,
    DENIED,
    EXISTS,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    cases,
    expect,
    holds,
    outcome,
    same,
)
from tests.conformance.world import PATCH, World
from tests.simulator.caller import LABEL

OWN = "MachineLabels"


def _held(omni: World) -> str:
    """Return an object that tears down and is held by a finalizer of the test's own."""
    name = omni.name()
    omni.admin.create(OWN, name, finalizers=omni.hold())
    omni.admin.teardown(OWN, name)
    return name


def test_cluster_side_1_5_teardown_marks_and_raises_the_version(omni: World) -> None:
    name = _held(omni)

    read = omni.admin.get(OWN, name)["metadata"]
    same(("tearingDown", 2), (read["phase"], read["version"]))


def test_cluster_side_16_p7_teardown_twice_is_fine_and_changes_nothing(omni: World) -> None:
    name = _held(omni)

    expect(OK, lambda: omni.admin.teardown(OWN, name))

    same(2, omni.admin.get(OWN, name)["metadata"]["version"])


@SINCE_1_10
def test_cluster_side_1_5_an_object_held_by_nobody_disappears_by_itself_once_torn_down(omni: World) -> None:
    patch = omni.patch()

    omni.admin.teardown("ConfigPatches", patch)

    omni.until(lambda: omni.gone("ConfigPatches", patch), "the patch disappears by itself")


def test_cluster_side_1_5_so_does_an_empty_cluster(omni: World) -> None:
    name = omni.settled_cluster()

    omni.admin.teardown("Clusters", name)

    omni.until(lambda: omni.gone("Clusters", name), "the cluster disappears by itself")


AUTO: dict[str, dict[str, object]] = {
    "ConfigPatches": {"data": PATCH.format(1)},
    "MachineLabels": {},
    "MachineClasses": {"match_labels": ["a"]},
    "KernelArgs": {"args": ["a=b"]},
    "ExtensionsConfigurations": {},
    "InfraMachineConfigs": {},
    "MachineInstallDiskConfigs": {"disk": "/dev/sda"},
    "InstallationMediaConfigs": {"architecture": 1},
    "KubernetesHealthChecks": {"job": "x"},
    "RotateTalosCAs": {},
    "RotateKubernetesCAs": {},
}


@SINCE_1_10
@pytest.mark.parametrize(
    "type_", cases("cluster-side 1.5 auto-destroy of every user-managed type", [(t, t) for t in AUTO])
)
def test_what_users_manage_vanishes_once_torn_down(omni: World, type_: str) -> None:
    name = omni.name()
    spec = dict(AUTO[type_])
    if type_ == "KubernetesHealthChecks":
        spec = {"job": JOB}
    if type_ == "InstallationMediaConfigs":
        spec["talos_version"] = omni.versions.talos
    omni.admin.create(type_, name, spec)

    omni.admin.teardown(type_, name)

    omni.until(lambda: omni.gone(type_, name), f"{type_} vanish by themselves")


JOB = """apiVersion: batch/v1
kind: Job
metadata:
  name: check
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: check
          image: busybox
          command: ["true"]
"""


@pytest.mark.parametrize(
    "type_", cases("cluster-side 1.1, 16 p11 Delete", [("ConfigPatch", "ConfigPatches"), ("Cluster", "Clusters")])
)
def test_a_delete_ends_with_ok_or_loses_the_race_as_not_found_and_the_object_is_gone(omni: World, type_: str) -> None:
    names = [omni.cluster() if type_ == "Clusters" else omni.patch() for _ in range(6)]

    found = {outcome(lambda name=name: omni.admin.delete(type_, name)) for name in names}  # type: ignore[misc]

    holds(found <= {OK, MISSING}, f"{OK} or {MISSING}", sorted(found))
    same([True] * 6, [omni.gone(type_, name) for name in names])


def test_cluster_side_1_5_a_delete_waits_for_the_finalizers_and_the_mark_stays(omni: World) -> None:
    name = omni.name()
    omni.admin.create(OWN, name, finalizers=omni.hold())

    expect(DEADLINE, lambda: omni.admin.delete(OWN, name, timeout=0.5))

    same("tearingDown", omni.admin.get(OWN, name)["metadata"]["phase"])


def test_cluster_side_1_3_what_tears_down_is_not_updated(omni: World) -> None:
    """ResourceService expects the phase running on every update, so COSI's way to un-delete is closed here."""
    name = _held(omni)
    read = omni.admin.get(OWN, name)

    expect(INVALID, lambda: omni.admin.update(read))
    expect(INVALID, lambda: omni.admin.update(read, version="undefined"))
    expect(EXISTS, lambda: omni.admin.update(read, version="1"))


@pytest.mark.parametrize("role", cases("cluster-side 16 p7 teardown", [(r, r) for r in ("Reader", "Auditor", "None")]))
def test_a_teardown_is_authorised_as_a_destroy(omni: World, role: str) -> None:
    name = omni.labels()

    expect(DENIED, lambda: omni.by(role).teardown(OWN, name))


def test_cluster_side_16_p7_an_operator_may_tear_down(omni: World) -> None:
    expect(OK, lambda: omni.by("Operator").teardown(OWN, omni.labels()))


def test_cluster_side_16_p5_what_was_destroyed_is_missing(omni: World) -> None:
    patch = omni.patch()
    outcome(lambda: omni.admin.delete("ConfigPatches", patch))

    expect(MISSING, lambda: omni.admin.delete("ConfigPatches", patch))
    expect(MISSING, lambda: omni.admin.teardown("ConfigPatches", patch))


def _dying_cluster(omni: World) -> tuple[str, str]:
    """Return a cluster that tears down but cannot go, and a machine set of it: a node is held by a finalizer."""
    cluster = omni.settled_cluster()
    machine_set = omni.machine_set(cluster)
    omni.at_rest("MachineSets", machine_set, 5)
    omni.node(cluster, machine_set, finalizers=omni.hold())
    omni.admin.teardown("Clusters", cluster)
    return cluster, machine_set


@pytest.mark.parametrize(
    "what",
    cases(
        "cluster-side 14, 16 p7b during a cluster's teardown",
        [("new MachineSet", "set"), ("new ConfigPatch", "patch"), ("new MachineSetNode", "node")],
    ),
)
def test_a_cluster_on_its_way_out_takes_nothing_new(omni: World, what: str) -> None:
    cluster, machine_set = _dying_cluster(omni)
    labels = {LABEL + "cluster": cluster}
    calls = {
        "set": lambda: omni.machine_set(cluster, "more"),
        "patch": lambda: omni.patch(labels=labels),
        "node": lambda: omni.node(cluster, machine_set),
    }

    expect(INVALID, calls[what])


def test_cluster_side_16_p7b_the_name_of_a_cluster_on_its_way_out_is_taken(omni: World) -> None:
    cluster, _ = _dying_cluster(omni)

    expect(EXISTS, lambda: omni.admin.create("Clusters", cluster, omni.versions.pair))


def test_cluster_side_14_a_cluster_that_tears_down_shows_it(omni: World) -> None:
    cluster, _ = _dying_cluster(omni)

    status = omni.until(lambda: omni.there("ClusterDestroyStatuses", cluster), "ClusterDestroyStatus appears")
    holds(isinstance(status["spec"].get("phase"), str), "phase is a text", status["spec"])
    task = omni.until(lambda: omni.there("OngoingTasks", f"{cluster}-destroy", "ephemeral"), "the task appears")
    same(
        status["spec"]["phase"],
        omni.until(
            lambda: (
                omni.admin.get("OngoingTasks", f"{cluster}-destroy", "ephemeral")["spec"]
                .get("destroy", {})
                .get("phase")
            ),
            "the task tells the phase",
        ),
    )
    same(cluster, task["spec"]["resource_id"])
    omni.until(lambda: omni.admin.get("ClusterStatuses", cluster)["spec"].get("phase") == 4, "phase is DESTROYING (4)")


LAST = ["ClusterController", "ClusterDestroyStatusController", "ClusterStatusController", "ClusterUUIDController"]


def test_cluster_side_14_most_controllers_let_go_at_once_four_stay(omni: World) -> None:
    cluster, _ = _dying_cluster(omni)

    omni.until(
        lambda: sorted(omni.admin.get("Clusters", cluster)["metadata"].get("finalizers", ())) == LAST,
        f"the finalizers that stay are {LAST}",
    )
    same(None, omni.there("TalosUpgradeStatuses", cluster))


def test_cluster_side_14_a_cluster_takes_all_that_it_has_along(omni: World) -> None:
    cluster = omni.settled_cluster()
    machine_set = omni.machine_set(cluster)
    node = omni.node(cluster, machine_set)

    omni.admin.teardown("Clusters", cluster)

    for type_, id_ in (
        ("MachineSetNodes", node),
        ("MachineSets", machine_set),
        ("Clusters", cluster),
        ("ClusterStatuses", cluster),
        ("ClusterUUIDs", cluster),
        ("ClusterDestroyStatuses", cluster),
        ("TalosUpgradeStatuses", cluster),
        ("LoadBalancerConfigs", cluster),
    ):
        omni.until(lambda: omni.gone(type_, id_), f"{type_} {id_} goes")  # noqa: B023
    omni.until(lambda: omni.gone("OngoingTasks", f"{cluster}-destroy", "ephemeral"), "the task goes")


@pytest.mark.parametrize(
    ("labels", "goes"),
    cases(
        "cluster-side 6, 14 cascade to ConfigPatches",
        [
            ("of the cluster", ("cluster",), True),
            ("of the machine set", ("cluster", "machine-set"), True),
            ("of a machine alone", ("machine",), False),
            ("without labels", (), False),
        ],
    ),
)
def test_patches_go_with_their_cluster(omni: World, labels: tuple[str, ...], goes: bool) -> None:
    cluster = omni.settled_cluster()
    values = {"cluster": cluster, "machine-set": omni.machine_set(cluster), "machine": omni.name()}
    patch = omni.patch(labels={LABEL + key: values[key] for key in labels})

    omni.admin.teardown("Clusters", cluster)

    omni.until(lambda: omni.gone("Clusters", cluster), "the cluster goes")
    if goes:
        omni.until(lambda: omni.gone("ConfigPatches", patch), "the patch goes with it")
    else:
        same("running", omni.admin.get("ConfigPatches", patch)["metadata"]["phase"])


@pytest.mark.parametrize(
    ("labels", "goes"),
    cases(
        "cluster-side 3 cascade of a machine set's teardown",
        [
            ("a patch of the set goes", ("cluster", "machine-set"), True),
            ("a patch of the cluster stays", ("cluster",), False),
            ("a patch of a cluster machine stays", ("cluster", "cluster-machine"), False),
        ],
    ),
)
def test_patches_go_with_their_machine_set(omni: World, labels: tuple[str, ...], goes: bool) -> None:
    cluster = omni.settled_cluster()
    machine_set = omni.machine_set(cluster)
    values = {"cluster": cluster, "machine-set": machine_set, "cluster-machine": omni.name()}
    patch = omni.patch(labels={LABEL + key: values[key] for key in labels})

    omni.admin.teardown("MachineSets", machine_set)

    omni.until(lambda: omni.gone("MachineSets", machine_set), "the set goes")
    if goes:
        omni.until(lambda: omni.gone("ConfigPatches", patch), "the patch goes with it")
    else:
        same("running", omni.admin.get("ConfigPatches", patch)["metadata"]["phase"])


def test_cluster_side_14_a_machine_set_that_tears_down_shows_it_and_takes_its_nodes_along(omni: World) -> None:
    cluster = omni.settled_cluster()
    machine_set = omni.machine_set(cluster)
    omni.at_rest("MachineSets", machine_set, 5)
    node = omni.node(cluster, machine_set, finalizers=omni.hold())

    omni.admin.teardown("MachineSets", machine_set)

    omni.until(
        lambda: omni.there("MachineSetDestroyStatuses", machine_set, "ephemeral"), "MachineSetDestroyStatus appears"
    )
    omni.until(
        lambda: omni.admin.get("MachineSetNodes", node)["metadata"]["phase"] == "tearingDown", "the node tears down"
    )
    expect(INVALID, lambda: omni.node(cluster, machine_set))
    expect(INVALID, lambda: omni.patch(labels={LABEL + "cluster": cluster, LABEL + "machine-set": machine_set}))


def test_cluster_side_2_the_same_name_again_is_another_cluster(omni: World) -> None:
    name = omni.settled_cluster()
    first = omni.until(lambda: omni.there("ClusterUUIDs", name), "ClusterUUID appears")["spec"]["uuid"]
    omni.admin.teardown("Clusters", name)
    omni.until(lambda: omni.gone("ClusterUUIDs", name) and omni.gone("Clusters", name), "the cluster goes")

    omni.admin.create("Clusters", name, omni.versions.pair)

    second = omni.until(lambda: omni.there("ClusterUUIDs", name), "ClusterUUID appears")["spec"]["uuid"]
    holds(first != second, "another UUID", second)


def test_cluster_side_11_a_manual_backup_request_outlives_its_cluster(omni: World) -> None:
    cluster = omni.settled_cluster()
    omni.admin.create("EtcdManualBackups", cluster, {"backup_at": datetime.now(UTC).isoformat()}, namespace="ephemeral")

    omni.admin.teardown("Clusters", cluster)
    omni.until(lambda: omni.gone("Clusters", cluster), "the cluster goes")

    same("running", omni.admin.get("EtcdManualBackups", cluster, "ephemeral")["metadata"]["phase"])


def test_machine_auth_side_6_a_torn_down_join_token_stays_until_it_is_deleted(omni: World) -> None:
    token = omni.server.join_token()
    omni.at_end(lambda: omni.admin.delete("JoinTokens", token, timeout=10))

    omni.admin.teardown("JoinTokens", token)

    same("tearingDown", omni.admin.get("JoinTokens", token)["metadata"]["phase"])
    expect(OK, lambda: omni.admin.delete("JoinTokens", token))
    same(None, omni.there("JoinTokens", token))


@SINCE_1_10
def test_resource_service_a_torn_down_object_is_told_to_a_watch_as_updated_then_destroyed(omni: World) -> None:
    patch = omni.patch()
    with omni.admin.watch("ConfigPatches", id=patch) as events:
        same(["created", "bootstrapped"], [events.next()[0], events.next()[0]])
        omni.admin.teardown("ConfigPatches", patch)

        kind, new, _ = events.next()
        same(("updated", "tearingDown"), (kind, new and new["metadata"]["phase"]))
        same("destroyed", events.next()[0])
