"""PUT, PATCH and DELETE of a cluster: preconditions, refusals, locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from tests.e2e.cluster_steps import Made, Unique, Wait, end_of, new_cluster, problem
from tests.e2e.conftest import LetGo

CLUSTERS = "Clusters.omni.sidero.dev"
HOLD = "e2e-test"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def cluster(api: httpx.Client, unique: Unique, made: Made, versions: Any, wait_until: Wait) -> str:
    """An empty cluster on the older versions, once Omni has looked at it."""
    name = unique("c")
    new_cluster(api, made, name, talos_version=versions.talos, kubernetes_version=versions.kubernetes)
    wait_until(lambda: api.get(f"clusters/{name}/status").status_code == 200, what="its status")
    return f"clusters/{name}"


def patch(api: httpx.Client, url: str, changes: Any, **headers: str) -> httpx.Response:
    return api.patch(url, json=changes, headers={**MERGE_PATCH, **headers})


def test_labels_are_patched_and_the_rest_stays(api: httpx.Client, cluster: str) -> None:
    before = api.get(cluster).json()
    answer = patch(api, cluster, {"labels": {"env": "prod"}})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after["labels"] == {"env": "prod"}
    assert after["talos_version"] == before["talos_version"] and after["features"] == before["features"]
    assert set(before["metadata"]["finalizers"]) <= set(after["metadata"]["finalizers"])


def test_a_flat_feature_name_can_be_patched_on_and_off(api: httpx.Client, cluster: str) -> None:
    answers = [patch(api, cluster, {"workload_proxy": value}) for value in (True, False)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[-1].text
    on, off = (answer.json() for answer in answers)
    assert on["features"]["enable_workload_proxy"] is True and on["workload_proxy"] is True
    assert off["features"]["enable_workload_proxy"] is False and off["workload_proxy"] is False


def test_what_was_read_can_be_put_back_unchanged(api: httpx.Client, cluster: str) -> None:
    read = api.get(cluster)
    answer = api.put(cluster, json=read.json())
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"].split("-")[0] == read.headers["ETag"].split("-")[0]


def test_a_put_replaces_what_it_does_not_name(api: httpx.Client, cluster: str) -> None:
    patch(api, cluster, {"labels": {"env": "prod"}, "features": {"enable_workload_proxy": True}})
    versions = {name: api.get(cluster).json()[name] for name in ("talos_version", "kubernetes_version")}
    after = api.put(cluster, json={"id": cluster.split("/")[1], **versions}).json()
    assert after["labels"] == {} and not (after["features"] or {}).get("enable_workload_proxy")


def test_a_write_over_another_state_is_a_412_with_the_present_tag(api: httpx.Client, cluster: str) -> None:
    stale = api.get(cluster).headers["ETag"]
    patch(api, cluster, {"labels": {"env": "prod"}})
    answer = patch(api, cluster, {"labels": {"env": "dev"}}, **{"If-Match": stale})
    problem(answer, 412, "stale-precondition")
    assert patch(api, cluster, {"labels": {"env": "dev"}}, **{"If-Match": answer.headers["ETag"]}).status_code == 200
    problem(api.delete(cluster, headers={"If-Match": stale}), 412, "stale-precondition")


def test_a_dry_run_tells_the_difference_and_changes_nothing(api: httpx.Client, cluster: str) -> None:
    document = patch(api, f"{cluster}?dry_run=true", {"labels": {"env": "prod"}}).json()
    assert document["labels"] == {"env": "prod"}
    assert document["_dry_run"]["diff"] == [{"op": "add", "path": "/labels/env", "value": "prod"}]
    assert api.get(cluster).json()["labels"] == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"talos_version": None}, "talos_version"),
        ({"talos_version": "99.0.0"}, "talos_version"),
        ({"kubernetes_version": "1.2.3"}, "kubernetes_version"),
        ({"id": "other"}, "id"),
        ({"control_plane": {"machines": ["m"]}}, "control_plane"),
        ({"backup_configuration": {"enabled": True}}, "backup_configuration.interval"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_change_that_is_wrong_is_refused_by_field(
    api: httpx.Client, cluster: str, changes: dict[str, Any], field: str
) -> None:
    document = problem(patch(api, cluster, changes), 422, "validation")
    assert any(name.startswith(field) for name in document["errors"]), document


def test_omnis_own_refusal_of_a_change_is_a_422_with_its_reason(api: httpx.Client, cluster: str) -> None:
    document = problem(patch(api, cluster, {"features": {"disk_encryption": True}}), 422, "refused-by-omni")
    assert document["detail"] and document["grpc_code"] == "INVALID_ARGUMENT"


def test_writes_to_a_cluster_that_is_not_there_are_404(api: httpx.Client, unique: Unique, versions: Any) -> None:
    url = f"clusters/{unique('none')}"
    body = {"id": url.split("/")[1], "talos_version": versions.talos, "kubernetes_version": versions.kubernetes}
    problem(api.put(url, json=body), 404, "not-found")
    problem(patch(api, url, {"labels": {}}), 404, "not-found")
    problem(api.delete(url), 404, "not-found")


def test_readers_write_nothing(reader: httpx.Client, cluster: str) -> None:
    problem(patch(reader, cluster, {"labels": {}}), 403, "forbidden")
    problem(reader.delete(cluster), 403, "forbidden")
    problem(reader.post(f"{cluster}/actions/lock"), 403, "forbidden")


def test_locking_and_unlocking_answer_the_cluster_and_can_be_repeated(api: httpx.Client, cluster: str) -> None:
    for _ in range(2):
        locked = api.post(f"{cluster}/actions/lock")
        assert locked.status_code == 200, locked.text
        assert "omni.sidero.dev/cluster-locked" in locked.json()["annotations"]
    for _ in range(2):
        unlocked = api.post(f"{cluster}/actions/unlock")
        assert unlocked.status_code == 200, unlocked.text
        assert unlocked.json()["annotations"] == {}


def test_a_dry_run_of_a_lock_shows_the_annotation_and_sets_none(api: httpx.Client, cluster: str) -> None:
    document = api.post(f"{cluster}/actions/lock?dry_run=true").json()
    assert "omni.sidero.dev/cluster-locked" in document["annotations"]
    assert api.get(cluster).json()["annotations"] == {}


def test_a_locked_cluster_takes_no_change_and_says_how_to_go_on(api: httpx.Client, cluster: str, versions: Any) -> None:
    api.post(f"{cluster}/actions/lock").raise_for_status()
    refused = [
        patch(api, cluster, {"labels": {"env": "prod"}}),
        patch(api, f"{cluster}?dry_run=true", {"labels": {"env": "prod"}}),
        api.delete(cluster),
        api.post(f"{cluster}/actions/destroy"),
        api.post(f"{cluster}/actions/destroy?dry_run=true"),
        api.post(f"{cluster}/actions/talos-upgrade", json={"version": versions.talos_next}),
        api.post(f"{cluster}/actions/kubernetes-upgrade", json={"version": versions.kubernetes_next}),
    ]
    for answer in refused:
        assert "unlock" in problem(answer, 409, "conflict")["hint"]
    assert api.get(cluster).json()["labels"] == {}


def test_a_lock_can_be_taken_off_together_with_a_change(api: httpx.Client, cluster: str) -> None:
    api.post(f"{cluster}/actions/lock").raise_for_status()
    answer = patch(api, cluster, {"annotations": {"omni.sidero.dev/cluster-locked": None}, "labels": {"env": "prod"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["labels"] == {"env": "prod"}


def test_a_deleted_cluster_goes_and_the_operation_ends(api: httpx.Client, cluster: str, wait_until: Wait) -> None:
    answer = api.delete(cluster)
    assert answer.status_code in (202, 204), answer.text
    if answer.status_code == 202:
        assert end_of(api, answer, wait_until)["state"] == "succeeded"
    problem(api.get(cluster), 404, "not-found")


def change_finalizers(omni: OmniClient, name: str, by: Callable[[list[str]], list[str]], wait_until: Wait) -> None:
    """Write a cluster's finalizers, again while Omni's controllers write it at the same moment."""

    def written() -> bool:
        held = omni.resources.get(CLUSTERS, name)
        held["metadata"]["finalizers"] = by(held["metadata"].get("finalizers") or [])
        try:
            omni.resources.update(held, version=None)
        except omni_errors.StaleVersion:
            return False
        return True

    wait_until(written, 30, "the cluster's finalizers")


@pytest.fixture
def going(api: httpx.Client, cluster: str, omni: OmniClient, let_go: LetGo, wait_until: Wait) -> Iterator[str]:
    """A cluster that is being removed and held back by a finalizer of this test's."""
    name = cluster.split("/")[1]
    change_finalizers(omni, name, lambda finalizers: [*finalizers, HOLD], wait_until)
    assert api.delete(cluster).status_code == 202
    yield cluster
    let_go(CLUSTERS, name, HOLD)


def test_a_cluster_that_is_going_takes_no_writes(api: httpx.Client, going: str, versions: Any) -> None:
    refused = [
        patch(api, going, {"labels": {"a": "b"}}),
        api.post("clusters", json={"id": going.split("/")[1]}),
        api.post(f"{going}/actions/lock"),
        api.post(f"{going}/actions/talos-upgrade", json={"version": versions.talos_next}),
        api.post(f"{going}/actions/kubernetes-upgrade", json={"version": versions.kubernetes_next}),
    ]
    for answer in refused:
        problem(answer, 409, "tearing-down")


def test_the_removal_of_a_cluster_is_an_operation_however_often_it_is_asked_for(api: httpx.Client, going: str) -> None:
    name = going.split("/")[1]
    for answer in (api.delete(going), api.post(f"{going}/actions/destroy")):
        assert answer.status_code == 202, answer.text
        assert answer.headers["Operation-Location"] == f"/api/v1/operations/cluster-destroy/{name}"
        assert answer.json()["state"] == "running" and answer.json()["progress"]
    assert HOLD in api.get(f"operations/cluster-destroy/{name}").json()["details"]["finalizers"]


@pytest.mark.parametrize("kind", ["cluster-create", "cluster-bootstrap", "kubernetes-upgrade", "talos-upgrade"])
def test_other_work_on_a_cluster_that_is_going_has_failed(api: httpx.Client, going: str, kind: str) -> None:
    operation = api.get(f"operations/{kind}/{going.split('/')[1]}").json()
    assert operation["state"] == "failed" and "removed" in operation["error"]
