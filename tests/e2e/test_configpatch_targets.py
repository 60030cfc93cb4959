"""Configuration patches: labels say whose they are, and lists find them by that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from resources.configpatch.schemas import EXAMPLE
from tests.e2e.cluster_steps import Made, Unique, new_cluster, problem
from tests.e2e.conftest import LetGo

PREFIX = "omni.sidero.dev/"
DATA = 'machine:\n  sysctls:\n    vm.swappiness: "10"\n'
MACHINE = "6a6d4b9c-0000-4000-8000-000000000001"

Patch = Callable[..., str]


@pytest.fixture
def patch(api: httpx.Client, made: Made, unique: Unique) -> Patch:
    """Make a patch with these labels (Omni's prefix is put before them); returns its id."""

    def make(**labels: str) -> str:
        id = unique("patch")
        body = {"id": id, "data": DATA, "labels": {PREFIX + key.replace("_", "-"): labels[key] for key in labels}}
        answer = api.post("configpatches", json=body)
        assert answer.status_code == 201, answer.text
        made(f"configpatches/{id}")
        return id

    return make


@pytest.fixture
def cluster(api: httpx.Client, made: Made, unique: Unique) -> str:
    return str(new_cluster(api, made, unique("c"))["id"])


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()}


def test_the_documented_example_makes_a_patch(api: httpx.Client, cluster: str, made: Made, unique: Unique) -> None:
    id = unique("patch")
    answer = api.post("configpatches", json={**EXAMPLE, "id": id, "labels": {f"{PREFIX}cluster": cluster}})
    made(f"configpatches/{id}")
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"] == EXAMPLE["data"]
    assert answer.json()["_links"]["cluster"] == f"/api/v1/clusters/{cluster}"


def test_a_cluster_s_patches_are_found_by_the_cluster(api: httpx.Client, cluster: str, patch: Patch) -> None:
    of_cluster, of_set = patch(cluster=cluster), patch(cluster=cluster, machine_set=f"{cluster}-workers")
    patch()
    assert ids(api.get("configpatches", params={"cluster": cluster})) == {of_cluster, of_set}
    assert ids(api.get(f"clusters/{cluster}/configpatches")) == {of_cluster, of_set}


def test_a_machine_set_s_patches_are_found_by_the_set(api: httpx.Client, cluster: str, patch: Patch) -> None:
    patch(cluster=cluster)
    of_set = patch(cluster=cluster, machine_set=f"{cluster}-workers")
    assert ids(api.get("configpatches", params={"machineset": f"{cluster}-workers"})) == {of_set}


def test_a_machine_s_patches_are_found_by_either_label(api: httpx.Client, cluster: str, patch: Patch) -> None:
    machine = cluster + "-machine"
    in_cluster, anywhere = patch(cluster=cluster, cluster_machine=machine), patch(machine=machine)
    patch(cluster=cluster, cluster_machine="another")
    assert ids(api.get("configpatches", params={"machine": machine})) == {in_cluster, anywhere}


def test_filters_and_a_selector_narrow_each_other(api: httpx.Client, cluster: str, patch: Patch) -> None:
    machine = cluster + "-machine"
    in_cluster = patch(cluster=cluster, cluster_machine=machine)
    patch(machine=machine)
    params = {"machine": machine, "cluster": cluster, "label_selector": f"!{PREFIX}machine"}
    answer = api.get("configpatches", params=params)
    assert ids(answer) == {in_cluster}
    assert '"total": 1' in answer.headers["X-Pagination"] or '"total":1' in answer.headers["X-Pagination"]


def test_a_machine_filter_that_is_no_id_is_refused(api: httpx.Client) -> None:
    document = problem(api.get("configpatches", params={"machine": "a,b"}), 422, "validation")
    assert "machine" in document["errors"]


def test_a_patch_of_one_machine_links_to_it(api: httpx.Client, patch: Patch) -> None:
    links = api.get(f"configpatches/{patch(machine=MACHINE)}").json()["_links"]
    assert links["machine"] == f"/api/v1/machines/{MACHINE}"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no such cluster", {"labels": {f"{PREFIX}cluster": "there-is-none"}}, f"labels.{PREFIX}cluster"),
    ("a cluster without a name", {"labels": {f"{PREFIX}cluster": ""}}, f"labels.{PREFIX}cluster"),
    ("Omni's own mark", {"labels": {f"{PREFIX}system-patch": ""}}, f"labels.{PREFIX}system-patch"),
    ("no such cluster by its second name", {"cluster": "there-is-none"}, f"labels.{PREFIX}cluster"),
    ("no data", {"data": None}, "data"),
    ("empty data", {"data": ""}, "data"),
    ("data that is no text", {"data": {"machine": {}}}, "data"),
    ("an unknown field", {"dta": DATA}, "dta"),
]


@pytest.mark.parametrize("dry_run", ["false", "true"])
@pytest.mark.parametrize(("body", "field"), [item[1:] for item in REFUSED], ids=[item[0] for item in REFUSED])
def test_what_is_wrong_is_refused_by_field_also_in_a_dry_run(
    api: httpx.Client, unique: Unique, body: dict[str, Any], field: str, dry_run: str
) -> None:
    id = unique("patch")
    answer = api.post(f"configpatches?dry_run={dry_run}", json={"id": id, "data": DATA, **body})
    document = problem(answer, 422, "validation")
    assert field in document["errors"], document
    assert api.get(f"configpatches/{id}").status_code == 404


def test_a_target_can_be_named_beside_the_labels(api: httpx.Client, made: Any, unique: Unique) -> None:
    cluster, id = unique("cluster"), unique("patch")
    new_cluster(api, made, cluster)
    answer = api.post("configpatches", json={"id": id, "data": DATA, "cluster": cluster})
    made(f"configpatches/{id}")
    assert (answer.status_code, answer.json()["labels"][f"{PREFIX}cluster"]) == (201, cluster)
    assert api.get(f"configpatches/{id}").json()["cluster"] == cluster


def test_labels_are_checked_when_they_change(api: httpx.Client, patch: Patch) -> None:
    url = f"configpatches/{patch()}"
    answer = api.patch(url, json={"labels": {f"{PREFIX}cluster": "there-is-none"}})
    assert f"labels.{PREFIX}cluster" in problem(answer, 422, "validation")["errors"]
    assert api.get(url).json()["labels"] == {}


def test_a_patch_can_be_moved_to_another_target(
    api: httpx.Client, cluster: str, patch: Patch, omni: OmniClient
) -> None:
    id = patch(machine=MACHINE)
    labels = {f"{PREFIX}machine": None, f"{PREFIX}cluster": cluster}
    answer = api.patch(f"configpatches/{id}", json={"labels": labels})
    assert answer.status_code == 200, answer.text
    stored = omni.resources.get("ConfigPatches.omni.sidero.dev", id)
    assert stored["metadata"]["labels"] == {f"{PREFIX}cluster": cluster}


def test_a_patch_goes_at_once(api: httpx.Client, patch: Patch) -> None:
    id = patch()
    assert api.delete(f"configpatches/{id}").status_code == 204
    assert api.get(f"configpatches/{id}").status_code == 404
    operation = api.get(f"operations/configpatch-destroy/{id}").json()
    assert operation["state"] == "succeeded"


def test_nobody_is_removing_a_patch_that_stays(api: httpx.Client, patch: Patch) -> None:
    problem(api.get(f"operations/configpatch-destroy/{patch()}"), 404, "not-found")


def test_a_patch_that_a_finalizer_holds_is_an_operation(
    api: httpx.Client, made: Made, unique: Unique, omni: OmniClient, patch: Patch, let_go: LetGo
) -> None:
    id = patch()
    held = omni.resources.get("ConfigPatches.omni.sidero.dev", id)
    held["metadata"]["finalizers"] = ["e2e"]
    omni.resources.update(held, version=held["metadata"]["version"])
    answer = api.delete(f"configpatches/{id}")
    assert answer.status_code == 202, answer.text
    operation = answer.json()
    problem(api.patch(f"configpatches/{id}", json={"labels": {"a": "b"}}), 409, "tearing-down")
    let_go("ConfigPatches.omni.sidero.dev", id, "e2e")
    assert (operation["state"], operation["details"]) == ("running", {"finalizers": ["e2e"]})
