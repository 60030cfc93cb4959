"""Clusters: what may be made and changed, what is beside them, locks (cluster-side §2, §7, §16 p1, p2, p6, p14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.outcomes import DENIED, EXISTS, INVALID, OK, SINCE_1_10, cases, expect, holds, same
from tests.conformance.world import World
from tests.simulator.caller import LABEL

# -- creation


@pytest.mark.parametrize("role", cases("cluster-side 16 p1 create valid", [(r, r) for r in ("Admin", "Operator")]))
def test_operators_and_admins_make_clusters(omni: World, role: str) -> None:
    name = omni.name()
    expect(OK, lambda: omni.by(role).create("Clusters", name, omni.versions.pair))
    expect(EXISTS, lambda: omni.by(role).create("Clusters", name, omni.versions.pair))


@pytest.mark.parametrize(
    ("suffix", "wanted"),
    cases(
        "cluster-side 2, 16 p1 id",
        [
            ("with a dot", ".a", INVALID),
            ("with a space", " a", INVALID),
            ("with a slash", "/a", INVALID),
            ("with a colon", ":a", INVALID),
            ("in unicode", "-ünïcode", OK),
            ("in upper case", "-Upper", OK),
            ("with an underscore", "_a", OK),
            ("of 300 characters", "x" * 280, OK),
        ],
    ),
)
def test_a_clusters_name_has_letters_digits_hyphens_and_underscores(omni: World, suffix: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("Clusters", omni.name() + suffix, omni.versions.pair))


def test_cluster_side_16_p1_an_empty_id_is_invalid(omni: World) -> None:
    expect(INVALID, lambda: omni.admin.create("Clusters", "", omni.versions.pair))


@pytest.mark.parametrize(
    "spec",
    cases(
        "cluster-side 2, 16 p1 versions",
        [
            ("none at all", {}),
            ("Talos missing", {"talos_version": None}),
            ("Kubernetes missing", {"kubernetes_version": None}),
            ("Talos garbage", {"talos_version": "new"}),
            ("Kubernetes garbage", {"kubernetes_version": "new"}),
            ("Talos unknown", {"talos_version": "1.0.99"}),
            ("Kubernetes unknown", {"kubernetes_version": "1.0.99"}),
            ("Talos with v", {"talos_version": "v{talos}"}),
            ("Kubernetes with v", {"kubernetes_version": "v{kubernetes}"}),
            ("Talos with only a minor", {"talos_version": "1.13"}),
        ],
    ),
)
def test_a_cluster_needs_two_versions_that_omni_knows(omni: World, spec: dict[str, Any]) -> None:
    pair = omni.versions.pair
    words = {"talos": pair["talos_version"], "kubernetes": pair["kubernetes_version"]}
    whole = {**pair, **{key: value and value.format(**words) for key, value in spec.items()}} if spec else {}

    expect(INVALID, lambda: omni.admin.create("Clusters", omni.name(), whole))


def test_cluster_side_16_p1_the_two_versions_must_go_together(omni: World) -> None:
    expect(INVALID, lambda: omni.admin.create("Clusters", omni.name(), omni.versions.incompatible()))


def _interval(omni: World, which: str) -> Any:
    limits = omni.server.features["etcd_backup_settings"]
    low, high = (int(limits[key].removesuffix("s")) for key in ("min_interval", "max_interval"))
    seconds = {
        "shortest": low,
        "longest": high,
        "too short": low - 1,
        "too long": high + 1,
        "a minute": 60,
        "25 h": 25 * 3600,
    }
    return (
        {"absent": {}, "disabled": {"enabled": False}}.get(which)
        if which in ("absent", "disabled")
        else {"enabled": True, "interval": f"{seconds[which]}s"}
    )


@pytest.mark.parametrize(
    ("which", "wanted"),
    cases(
        "cluster-side 2, 16 p1 backup interval",
        [
            ("shortest", "shortest", OK),
            ("longest", "longest", OK),
            ("too short", "too short", INVALID),
            ("too long", "too long", INVALID),
            ("60 s", "a minute", INVALID),
            ("absent", "absent", INVALID),
            ("absent, backups disabled", "disabled", INVALID),
        ],
    ),
)
def test_a_backup_configuration_needs_an_interval_within_the_limits(omni: World, which: str, wanted: str) -> None:
    spec = omni.versions.pair | {"backup_configuration": _interval(omni, which)}
    expect(wanted, lambda: omni.admin.create("Clusters", omni.name(), spec))


@pytest.mark.parametrize(
    ("features", "wanted"),
    cases(
        "cluster-side 2 features",
        [
            ("workload proxy", {"enable_workload_proxy": True}, OK),
            ("disk encryption", {"disk_encryption": True}, OK),
            ("node audit skip", {"enable_node_audit_skip": True}, OK, SINCE_1_10),
        ],
    ),
)
def test_features_are_chosen_at_creation(omni: World, features: dict[str, bool], wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("Clusters", omni.name(), omni.versions.pair | {"features": features}))


def test_cluster_side_16_p1_the_embedded_discovery_service_where_the_server_has_it(omni: World) -> None:
    wanted = OK if omni.server.features.get("embedded_discovery_service") else INVALID
    spec = omni.versions.pair | {"features": {"use_embedded_discovery_service": True}}
    expect(wanted, lambda: omni.admin.create("Clusters", omni.name(), spec))


@SINCE_1_10
@pytest.mark.parametrize(
    "embedded",
    cases(
        "cluster-side 2, 16 p1 public discovery off before Talos 1.14",
        [("alone", False), ("with the embedded one", True)],
    ),
)
def test_the_public_discovery_service_stays_on_before_talos_1_14(omni: World, embedded: bool) -> None:
    versions = omni.versions
    old = [talos for talos in versions.compatible if talos.startswith("1.") and int(talos.split(".")[1]) < 14]
    if not old:
        pytest.skip("this Omni knows no Talos before 1.14")
    talos = max(old, key=lambda text: [int(part) for part in text.split(".")])
    features = {"disable_public_discovery_service": True, "use_embedded_discovery_service": embedded}
    spec = {"talos_version": talos, "kubernetes_version": max(versions.compatible[talos]), "features": features}

    expect(INVALID, lambda: omni.admin.create("Clusters", omni.name(), spec))


def test_cluster_side_2_labels_of_the_user_are_copied_to_the_status(omni: World) -> None:
    name = omni.settled_cluster(labels={"env": "test"})

    omni.until(
        lambda: omni.admin.get("ClusterStatuses", name)["metadata"].get("labels", {}).get("env") == "test",
        "ClusterStatus carries the label",
    )


# -- what is there beside a cluster without machines


def _appears(type_: str, namespace: str = "default") -> tuple[str, str, str]:
    return type_, type_, namespace


@pytest.mark.parametrize(
    ("type_", "namespace"),
    cases(
        "cluster-side 2 appears by itself",
        [
            _appears(t)
            for t in (
                "ClusterStatuses",
                "ClusterUUIDs",
                "ClusterConfigVersions",
                "ClusterBootstrapStatuses",
                "ClusterEndpoints",
                "ClusterWorkloadProxyStatuses",
                "ClusterKubernetesNodes",
                "TalosUpgradeStatuses",
                "LoadBalancerConfigs",
                "LoadBalancerStatuses",
            )
        ]
        + [_appears("UpgradeRollouts", "ephemeral")],
    ),
)
def test_beside_a_new_cluster_there_is(omni: World, cluster: str, type_: str, namespace: str) -> None:
    omni.until(lambda: omni.there(type_, cluster, namespace), f"{type_} {cluster} appears")


@pytest.mark.parametrize(
    ("type_", "namespace"),
    cases(
        "cluster-side 2 absent without machines",
        [
            _appears(t)
            for t in (
                "KubernetesStatuses",
                "KubernetesUpgradeStatuses",
                "KubernetesUpgradeManifestStatuses",
                "ControlPlaneStatuses",
                "ClusterKubernetesManifestsStatuses",
                "ClusterSecretsRotationStatuses",
                "KubernetesNodeAuditResults",
                "ClusterDiagnostics",
                "ClusterTaints",
                "ClusterDestroyStatuses",
            )
        ]
        + [_appears("EtcdBackupStatuses", "metrics")],
    ),
)
def test_beside_a_cluster_without_machines_there_is_no(omni: World, cluster: str, type_: str, namespace: str) -> None:
    same(None, omni.there(type_, cluster, namespace))


def _spec(omni: World, type_: str, id_: str) -> dict[str, Any]:
    return dict(omni.until(lambda: omni.there(type_, id_), f"{type_} {id_} appears")["spec"])


def test_cluster_side_7_a_cluster_without_machines_is_unknown_and_not_available(omni: World, cluster: str) -> None:
    status = _spec(omni, "ClusterStatuses", cluster)

    same([None] * 4, [status.get(key) for key in ("phase", "available", "ready", "kubernetesAPIReady")])
    same(omni.versions.pair["talos_version"], status["talos_version"])


@SINCE_1_10
def test_cluster_side_7_the_status_tells_more_versions(omni: World, cluster: str) -> None:
    status = _spec(omni, "ClusterStatuses", cluster)

    same(omni.versions.pair["kubernetes_version"], status.get("kubernetes_version"))
    same(omni.versions.pair["talos_version"], status.get("initial_talos_version"))


def test_cluster_side_7_the_config_version_has_a_v(omni: World, cluster: str) -> None:
    same("v" + omni.versions.talos, _spec(omni, "ClusterConfigVersions", cluster)["version"])


def test_cluster_side_7_the_uuid_is_a_label_too(omni: World, cluster: str) -> None:
    found = omni.admin.get("ClusterUUIDs", cluster)
    same(found["spec"]["uuid"], found["metadata"]["labels"][LABEL + "cluster-uuid"])


def test_cluster_side_7_a_load_balancer_without_control_planes_is_stopped(omni: World, cluster: str) -> None:
    same((True, None), tuple(_spec(omni, "LoadBalancerStatuses", cluster).get(key) for key in ("stopped", "healthy")))
    config = _spec(omni, "LoadBalancerConfigs", cluster)
    holds(int(config["bind_port"]) >= 10000, "a port from 10000 upwards, as text", config)
    holds(config["siderolink_endpoint"].endswith(f":{config['bind_port']}"), "the endpoint has the port", config)


def test_cluster_side_7_9_talos_is_done_at_once_without_machines(omni: World, cluster: str) -> None:
    status = _spec(omni, "TalosUpgradeStatuses", cluster)
    same((2, omni.versions.talos), (status["phase"], status["last_upgrade_version"]))


def test_cluster_side_7_bootstrapped_is_false_from_the_start(omni: World, cluster: str) -> None:
    same({}, _spec(omni, "ClusterBootstrapStatuses", cluster))


def test_cluster_side_7_two_clusters_never_share_a_load_balancers_port(omni: World, cluster: str) -> None:
    ports = [_spec(omni, "LoadBalancerConfigs", name)["bind_port"] for name in (cluster, omni.settled_cluster())]
    same(2, len(set(ports)))


@pytest.mark.parametrize(
    ("feature", "patch", "needs"),
    cases(
        "cluster-side 2 system patches",
        [
            ("disk encryption", "disk_encryption", "950-{}-encryption", None),
            (
                "embedded discovery",
                "use_embedded_discovery_service",
                "950-discovery-service-{}",
                "embedded_discovery_service",
            ),
        ],
    ),
)
def test_features_make_system_patches(omni: World, feature: str, patch: str, needs: str | None) -> None:
    if needs and not omni.server.features.get(needs):
        pytest.skip(f"this Omni has no {needs}")
    name = omni.cluster({"features": {feature: True}})

    found = omni.until(lambda: omni.there("ConfigPatches", patch.format(name)), f"{patch.format(name)} appears")

    holds(found["metadata"]["owner"], "the patch has an owner", found["metadata"])
    same(name, found["metadata"]["labels"].get(LABEL + "cluster"))
    holds(LABEL + "system-patch" in found["metadata"]["labels"], "the label system-patch", found["metadata"]["labels"])


# -- changes


@pytest.mark.parametrize(
    ("step", "wanted"),
    cases(
        "cluster-side 2, 16 p2, p14 Kubernetes",
        [
            ("patch up", "patch up", OK),
            ("patch down", "patch down", OK),
            ("one minor up", "minor up", OK),
            ("minors skipped", "minors up", INVALID),
            ("minor down", "minor down", INVALID),
        ],
    ),
)
def test_kubernetes_goes_step_by_step(omni: World, step: str, wanted: str) -> None:
    pair, target = omni.versions.kubernetes_step(step)
    name = omni.settled_cluster(pair)

    expect(wanted, lambda: omni.admin.change("Clusters", name, kubernetes_version=target))


@pytest.mark.parametrize(
    ("step", "wanted"),
    cases(
        "cluster-side 2, 16 p2 Talos",
        [
            ("patch up", "patch up", OK),
            ("patch down", "patch down", OK),
            ("minors up at once", "minors up", OK),
            ("below the first minor", "minor down", INVALID),
        ],
    ),
)
def test_talos_goes_anywhere_but_below_its_first_minor(omni: World, step: str, wanted: str) -> None:
    pair, target = omni.versions.talos_step(step)
    name = omni.settled_cluster(pair)

    expect(wanted, lambda: omni.admin.change("Clusters", name, talos_version=target))


def test_cluster_side_7_9_the_first_version_stays_and_the_status_follows(omni: World) -> None:
    pair, target = omni.versions.talos_step("minors up")
    name = omni.settled_cluster(pair)

    omni.admin.change("Clusters", name, talos_version=target)

    omni.until(
        lambda: _spec(omni, "TalosUpgradeStatuses", name).get("last_upgrade_version") == target, "the status follows"
    )
    same("v" + pair["talos_version"], _spec(omni, "ClusterConfigVersions", name)["version"])
    older = _spec(omni, "TalosUpgradeStatuses", name).get("upgrade_versions", [])
    holds(any(version != target for version in older), "older versions are listed, too", older)


@pytest.mark.parametrize(
    "field",
    cases(
        "cluster-side 16 p2, p14 clear a version", [("Talos", "talos_version"), ("Kubernetes", "kubernetes_version")]
    ),
)
def test_a_version_is_never_cleared(omni: World, cluster: str, field: str) -> None:
    expect(INVALID, lambda: omni.admin.change("Clusters", cluster, **{field: ""}))


@pytest.mark.parametrize(
    "field",
    cases("cluster-side 16 p2, p14 v prefix", [("Talos", "talos_version"), ("Kubernetes", "kubernetes_version")]),
)
def test_a_version_never_has_a_v(omni: World, cluster: str, field: str) -> None:
    expect(INVALID, lambda: omni.admin.change("Clusters", cluster, **{field: "v" + omni.versions.pair[field]}))


@pytest.mark.parametrize("before", cases("cluster-side 2, 16 p2 disk encryption", [("on", False), ("off", True)]))
def test_disk_encryption_is_for_ever(omni: World, before: bool) -> None:
    name = omni.settled_cluster({"features": {"disk_encryption": before}})

    expect(INVALID, lambda: omni.admin.change("Clusters", name, features={"disk_encryption": not before}))


def test_cluster_side_2_other_features_change(omni: World) -> None:
    name = omni.settled_cluster()
    expect(OK, lambda: omni.admin.change("Clusters", name, features={"enable_workload_proxy": True}))


def test_cluster_side_2_both_versions_change_in_one_update(omni: World) -> None:
    pair, target = omni.versions.both_up()
    name = omni.settled_cluster(pair)

    expect(OK, lambda: omni.admin.change("Clusters", name, **target))


def test_cluster_side_2_the_new_talos_must_run_the_kubernetes_that_is_there(omni: World) -> None:
    versions = omni.versions
    for talos, runs in versions.compatible.items():
        for newer, newer_runs in versions.compatible.items():
            alone = runs - newer_runs
            if alone and [int(p) for p in newer.split(".")] > [int(p) for p in talos.split(".")]:
                name = omni.settled_cluster({"talos_version": talos, "kubernetes_version": max(alone)})
                expect(INVALID, lambda: omni.admin.change("Clusters", name, talos_version=newer))  # noqa: B023
                return
    pytest.skip("every newer Talos that this Omni knows runs all that an older one runs")


def test_cluster_side_2_only_changed_versions_are_checked(omni: World) -> None:
    name = omni.settled_cluster()
    expect(
        OK, lambda: omni.write("Clusters", name, lambda read: read["metadata"].setdefault("labels", {}).update(a="b"))
    )


# -- locks (2.1, p6)


@pytest.fixture
def locked(omni: World) -> tuple[str, str, str]:
    """A locked cluster with a machine set and a node that waits for its machine."""
    cluster = omni.settled_cluster()
    machine_set = omni.machine_set(cluster)
    node = omni.node(cluster, machine_set)
    omni.annotate("Clusters", cluster, "cluster-locked")
    return cluster, machine_set, node


LOCKED = {
    "no-op update": lambda omni, c, s, n: omni.admin.change("Clusters", c),
    "label change": lambda omni, c, s, n: omni.write(
        "Clusters", c, lambda r: r["metadata"].setdefault("labels", {}).update(a="b")
    ),
    "cluster teardown": lambda omni, c, s, n: omni.admin.teardown("Clusters", c),
    "cluster delete": lambda omni, c, s, n: omni.admin.delete("Clusters", c),
    "new machine set": lambda omni, c, s, n: omni.machine_set(c, "more"),
    "machine set update": lambda omni, c, s, n: omni.admin.change("MachineSets", s),
    "machine set teardown": lambda omni, c, s, n: omni.admin.teardown("MachineSets", s),
    "new node": lambda omni, c, s, n: omni.node(c, s),
    "node update": lambda omni, c, s, n: omni.admin.change("MachineSetNodes", n),
    "node teardown": lambda omni, c, s, n: omni.admin.teardown("MachineSetNodes", n),
}


@pytest.mark.parametrize("what", cases("cluster-side 2.1, 16 p6 locked cluster", [(name, name) for name in LOCKED]))
def test_a_locked_cluster_takes_no(omni: World, locked: tuple[str, str, str], what: str) -> None:
    expect(INVALID, lambda: LOCKED[what](omni, *locked))


def test_cluster_side_2_1_patches_of_a_locked_cluster_are_free(omni: World, locked: tuple[str, str, str]) -> None:
    labels = {LABEL + "cluster": locked[0]}
    patch = omni.patch(labels=labels)

    expect(OK, lambda: omni.admin.change("ConfigPatches", patch, data='machine:\n  sysctls:\n    a.b: "1"\n'))
    expect(OK, lambda: omni.admin.teardown("ConfigPatches", patch))


@pytest.mark.parametrize("role", cases("cluster-side 2.1 unlock", [(r, r) for r in ("Admin", "Operator")]))
def test_the_lock_is_taken_off_even_with_a_change_of_the_spec(
    omni: World, locked: tuple[str, str, str], role: str
) -> None:
    def unlock(read: dict[str, Any]) -> None:
        del read["metadata"]["annotations"][LABEL + "cluster-locked"]
        read["spec"]["features"] = {"enable_workload_proxy": True}

    expect(OK, lambda: omni.write("Clusters", locked[0], unlock, omni.by(role)))
    expect(OK, lambda: omni.machine_set(locked[0], "more"))


def test_cluster_side_2_1_a_lock_comes_together_with_a_change(omni: World) -> None:
    name = omni.settled_cluster()

    def lock(read: dict[str, Any]) -> None:
        read["metadata"]["annotations"] = {LABEL + "cluster-locked": ""}
        read["spec"]["features"] = {"enable_workload_proxy": True}

    expect(OK, lambda: omni.write("Clusters", name, lock))


def test_cluster_side_2_1_a_cluster_may_be_made_locked(omni: World) -> None:
    expect(OK, lambda: omni.cluster(annotations={LABEL + "cluster-locked": ""}))


IMPORTING = {
    "update": (OK, lambda omni, c: omni.admin.change("Clusters", c)),
    "new machine set": (OK, lambda omni, c: omni.machine_set(c)),
    "teardown": (INVALID, lambda omni, c: omni.admin.teardown("Clusters", c)),
    "machine set teardown": (INVALID, lambda omni, c: omni.admin.teardown("MachineSets", omni.machine_set(c))),
}


@pytest.mark.parametrize("what", cases("cluster-side 2.1 locked while importing", [(name, name) for name in IMPORTING]))
def test_a_cluster_that_is_imported_takes_additions_but_stays(omni: World, what: str) -> None:
    marks = {LABEL + "cluster-locked": "", LABEL + "cluster-import-is-in-progress": ""}
    name = omni.settled_cluster(annotations=marks)
    wanted, call = IMPORTING[what]

    expect(wanted, lambda: call(omni, name))


def test_cluster_side_1_9_readers_change_no_cluster(omni: World, cluster: str) -> None:
    read = omni.by("Reader").get("Clusters", cluster)
    expect(DENIED, lambda: omni.by("Reader").update(read))
