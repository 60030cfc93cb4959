"""What a cluster may be, and what may be changed of it later."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.simulator.identity.caller import ANONYMOUS
from omni_gateway.simulator.rules import RuleContext, clusters
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from tests.simulator.caller import LABEL, Caller, invalid

TALOS, KUBERNETES = "1.13.7", "1.35.6"
SPEC = {"talos_version": TALOS, "kubernetes_version": KUBERNETES}
LOCK = {f"{LABEL}cluster-locked": ""}
IMPORT = {f"{LABEL}cluster-import-is-in-progress": ""}


@pytest.fixture
def cluster(admin: Caller, store: Store, name: str, wait_until) -> str:
    """A cluster that its controllers have seen."""
    admin.create("Clusters", name, SPEC)
    wait_until(lambda: store.find("default", "ClusterConfigVersions.omni.sidero.dev", name))
    wait_until(lambda: store.find("default", "ClusterStatuses.omni.sidero.dev", name))
    return name


def annotate(admin: Caller, cluster: str, annotations: dict[str, str]) -> None:
    read = admin.get("Clusters", cluster)
    read["metadata"]["annotations"] = annotations
    admin.update(read, version="undefined")


@pytest.mark.parametrize("id_", ["UPPER", "ünïcode", "under_score", "x" * 300])
def test_names_that_are_accepted(operator: Caller, id_: str) -> None:
    operator.create("Clusters", id_, SPEC)


@pytest.mark.parametrize("id_", ["a.b", "a b", "a/b"])
def test_names_that_are_refused(admin: Caller, id_: str) -> None:
    with invalid("letters, digits"):
        admin.create("Clusters", id_, SPEC)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({}, "missing"),
        ({"talos_version": TALOS}, "Kubernetes version is missing"),
        ({**SPEC, "talos_version": "v1.13.7"}, "v1.13.7"),
        ({**SPEC, "talos_version": "1.99.0"}, "1.99.0"),
        ({**SPEC, "kubernetes_version": "v1.35.6"}, "v1.35.6"),
        ({**SPEC, "kubernetes_version": "1.35.99"}, "does not run on"),
        ({**SPEC, "kubernetes_version": "latest"}, "latest"),
        ({**SPEC, "talos_version": "1.9.5"}, "does not run on"),
        ({**SPEC, "backup_configuration": {}}, "backup interval"),
        ({**SPEC, "backup_configuration": {"interval": "60s"}}, "backup interval"),
        ({**SPEC, "backup_configuration": {"interval": "90000s"}}, "backup interval"),
        ({**SPEC, "features": {"disable_public_discovery_service": True}}, "discovery"),
    ],
)
def test_specs_that_are_refused(admin: Caller, name: str, spec: dict[str, Any], word: str) -> None:
    with invalid(word):
        admin.create("Clusters", name, spec)


@pytest.mark.parametrize(
    "more",
    [
        {"backup_configuration": {"interval": "3600s", "enabled": True}},
        {"features": {"use_embedded_discovery_service": True, "disk_encryption": True}},
    ],
)
def test_specs_that_are_accepted(admin: Caller, name: str, more: dict[str, Any]) -> None:
    admin.create("Clusters", name, {**SPEC, **more})


@pytest.mark.parametrize("version", ["1.35.7", "1.36.1"])
def test_kubernetes_goes_to_another_patch_or_the_next_minor(admin: Caller, cluster: str, version: str) -> None:
    admin.change("Clusters", cluster, kubernetes_version=version)


@pytest.mark.parametrize("version", ["1.34.4", "1.33.6", "", "v1.35.7", "1.35.99"])
def test_kubernetes_goes_nowhere_else(admin: Caller, cluster: str, version: str) -> None:
    with invalid():
        admin.change("Clusters", cluster, kubernetes_version=version)


def test_an_upgrade_under_way_may_be_taken_back_a_minor(store: Store, name: str) -> None:
    rules = RuleContext(store, ANONYMOUS)
    status = Resource("default", "KubernetesUpgradeStatuses.omni.sidero.dev", name)
    status.spec = {"last_upgrade_version": KUBERNETES, "current_upgrade_version": "1.36.1"}
    store.create(status)
    now = Resource("default", clusters.TYPE, name, {**SPEC, "kubernetes_version": "1.36.1"})
    back = Resource("default", clusters.TYPE, name, dict(SPEC))

    assert list(clusters.update(rules, now, back)) == []
    store.destroy(*status.key)
    assert list(clusters.update(rules, now, back)) != []


@pytest.mark.parametrize("version", ["1.13.6", "1.13.8"])
def test_talos_goes_to_another_patch_up_or_down(admin: Caller, cluster: str, version: str) -> None:
    admin.change("Clusters", cluster, talos_version=version)


@pytest.mark.parametrize("version", ["1.12.11", "", "1.99.0"])
def test_talos_never_goes_below_the_minor_that_a_cluster_began_with(admin: Caller, cluster: str, version: str) -> None:
    with invalid():
        admin.change("Clusters", cluster, talos_version=version)


def test_talos_may_jump_over_minors_together_with_kubernetes(
    admin: Caller, store: Store, name: str, wait_until
) -> None:
    admin.create("Clusters", name, {"talos_version": "1.11.6", "kubernetes_version": "1.34.4"})
    wait_until(lambda: store.find("default", "ClusterConfigVersions.omni.sidero.dev", name))

    admin.change("Clusters", name, talos_version="1.13.7", kubernetes_version="1.35.6")


@pytest.mark.parametrize("features", [{"disk_encryption": True}, {"disable_public_discovery_service": True}])
def test_features_that_cannot_be_turned_on_later(admin: Caller, cluster: str, features: dict[str, bool]) -> None:
    with invalid():
        admin.change("Clusters", cluster, features=features)


def test_a_locked_cluster_takes_no_change_and_stays(admin: Caller, cluster: str) -> None:
    annotate(admin, cluster, LOCK)
    with invalid("locked"):
        admin.change("Clusters", cluster, kubernetes_version="1.35.7")
    with invalid("locked"):
        admin.change("Clusters", cluster)
    with invalid("locked"):
        admin.teardown("Clusters", cluster)
    with invalid("locked"):
        admin.create("MachineSets", f"{cluster}-workers", labels=set_labels(cluster))


def test_a_lock_may_be_taken_away_together_with_a_change(operator: Caller, cluster: str) -> None:
    annotate(operator, cluster, LOCK)
    read = operator.get("Clusters", cluster)
    read["metadata"]["annotations"] = {}
    read["spec"]["kubernetes_version"] = "1.35.7"

    operator.update(read, version="undefined")

    operator.teardown("Clusters", cluster)


def test_a_locked_cluster_takes_patches(admin: Caller, cluster: str) -> None:
    annotate(admin, cluster, LOCK)

    admin.create("ConfigPatches", f"{cluster}-p", {"data": "machine: {}"}, labels={f"{LABEL}cluster": cluster})
    admin.teardown("ConfigPatches", f"{cluster}-p")


def test_a_cluster_that_is_imported_grows_but_stays(admin: Caller, cluster: str) -> None:
    annotate(admin, cluster, LOCK | IMPORT)

    admin.change("Clusters", cluster, kubernetes_version="1.35.7")
    admin.create("MachineSets", f"{cluster}-workers", labels=set_labels(cluster))

    with invalid("locked"):
        admin.teardown("MachineSets", f"{cluster}-workers")
    with invalid("locked"):
        admin.teardown("Clusters", cluster)


def test_a_cluster_that_is_tearing_down_takes_no_parts_and_no_change(admin: Caller, name: str) -> None:
    admin.create("Clusters", name, SPEC, finalizers=["Holder"])
    admin.teardown("Clusters", name)
    with invalid("being removed"):
        admin.create("MachineSets", f"{name}-workers", labels=set_labels(name))
    with invalid("being removed"):
        admin.create("ConfigPatches", f"{name}-p", {"data": "machine: {}"}, labels={f"{LABEL}cluster": name})

    with invalid("not in phase running"):
        admin.change("Clusters", name)


def set_labels(cluster: str) -> dict[str, str]:
    return {f"{LABEL}cluster": cluster, f"{LABEL}role-worker": ""}
