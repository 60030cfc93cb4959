"""What Omni's controllers keep to themselves: it can be read, and a write is asked of Omni and refused with a hint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.cluster_steps import (
    Made,
    Unique,
    Wait,
    changes,
    end_of,
    new_cluster,
    once_known,
    problem,
    running_cluster,
)

OWNED = {
    "loadbalancer-configs": {"bind_port": "10000"},
    "image-pull-requests": {"node_image_list": []},
    "schematic-configurations": {"schematic_id": "x", "talos_version": "1.11.0"},
}
READ_ONLY = ["ongoingtasks", "kubernetes-versions", "talos-versions", "talos-extensions", "platforms"]
METRICS = ["cluster-metrics", "machine-metrics"]


@pytest.fixture
def cluster(api: httpx.Client, made: Made, unique: Unique) -> Iterator[str]:
    name = unique("owned")
    new_cluster(api, made, name)
    yield name


@pytest.mark.parametrize("collection", OWNED)
def test_nobody_makes_what_omni_makes(api: httpx.Client, unique: Unique, collection: str) -> None:
    answer = api.post(collection, json={"id": unique("own"), **OWNED[collection]})
    assert problem(answer, 403, "omni-forbidden")["hint"]


@pytest.mark.parametrize("collection", OWNED)
def test_what_is_not_there_is_a_404(api: httpx.Client, collection: str) -> None:
    for method in ("get", "patch", "delete"):
        body = {"json": {}} if method == "patch" else {}
        problem(api.request(method, f"{collection}/never", **body), 404, "not-found")


@pytest.mark.parametrize("collection", OWNED)
def test_a_cluster_that_is_not_there_has_none(reader: httpx.Client, collection: str) -> None:
    assert reader.get(collection, params={"cluster": "never"}).json() == []


def test_a_load_balancer_is_read_and_never_written(api: httpx.Client, cluster: str, wait_until: Wait) -> None:
    url = f"loadbalancer-configs/{cluster}"
    wait_until(lambda: api.get(url).status_code == 200, what="the load balancer")
    assert api.get(url).json()["bind_port"].isdigit()
    assert [item["id"] for item in api.get("loadbalancer-configs", params={"cluster": cluster}).json()] == [cluster]
    for answer in (api.patch(url, json={"bind_port": "1"}), api.delete(url)):
        assert problem(answer, 403, "omni-forbidden")["hint"]


def test_the_status_of_a_load_balancer_is_told(api: httpx.Client, cluster: str, wait_until: Wait) -> None:
    url = f"loadbalancers/{cluster}/status"
    status = wait_until(lambda: (now := api.get(url)).status_code == 200 and now.json(), what="the status")
    assert (status["healthy"], status["stopped"]) == (False, True)


@pytest.mark.parametrize("collection", READ_ONLY)
def test_catalogues_are_read_and_take_no_writes(api: httpx.Client, collection: str) -> None:
    listed = api.get(collection, params={"page_size": 1})
    assert listed.status_code == 200
    for item in listed.json():
        assert api.get(f"{collection}/{item['id']}").json()["id"] == item["id"]
    for answer in (api.post(collection, json={}), api.put(f"{collection}/x", json={}), api.delete(f"{collection}/x")):
        problem(answer, 405, "method-not-allowed")
    problem(api.get(f"{collection}/never"), 404, "not-found")


def test_versions_are_sorted_and_name_what_goes_with_them(reader: httpx.Client) -> None:
    talos = reader.get("talos-versions", params={"sort": "-id", "page_size": 1}).json()[0]
    assert talos["compatible_kubernetes_versions"]
    extensions = reader.get(f"talos-extensions/{talos['id']}")
    assert extensions.status_code in (200, 404)


@pytest.mark.parametrize("name", METRICS)
def test_the_fleet_is_counted(reader: httpx.Client, cluster: str, wait_until: Wait, name: str) -> None:
    counted = wait_until(lambda: (now := reader.get(name)).status_code == 200 and now.json(), 20, name)
    assert counted["_links"]["self"] == f"/api/v1/{name}"
    assert reader.post(name, json={}).status_code == 405


def test_an_upgrade_is_an_ongoing_task_of_its_cluster(
    api: httpx.Client, made: Made, unique: Unique, free_machines: object, versions: object, wait_until: Wait
) -> None:
    name = unique("busy")
    running_cluster(api, made, name, free_machines(1), versions, wait_until)  # type: ignore[operator]
    upgrade = {"version": versions.kubernetes_next}  # type: ignore[attr-defined]
    # Both may come and go between two looks, so they are watched from before they are there.
    with (
        changes(api, f"ongoingtasks?resource={name}") as tasks,
        changes(api, f"image-pull-requests?cluster={name}") as pulls,
    ):
        url = f"clusters/{name}/actions/kubernetes-upgrade"
        started = once_known(lambda: api.post(url, json=upgrade), wait_until)
        assert started.status_code == 202, started.text
        task = next(object for object in told(tasks) if object["resource_id"] == name)
        assert (task["task_type"], task["resource_id"]) == ("kubernetes_upgrade", name)
        assert next(told(pulls))["node_image_list"]
    assert end_of(api, started, wait_until)["state"] == "succeeded"


def told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Return the objects that a watch tells of."""
    for event in map(json.loads, lines):
        if event["type"] in ("ADDED", "MODIFIED"):
            yield event["object"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"machine_count": -1}, "machine_count"),
        ({"provider_id": 7}, "provider_id"),
        ({"machine_count": "2"}, "machine_count"),
    ],
)
def test_bad_machine_request_sets_are_refused(
    api: httpx.Client, unique: Unique, wrong: dict[str, object], field: str
) -> None:
    body = {"id": unique("requests"), "provider_id": "never", "machine_count": 1, "talos_version": "1.11.0", **wrong}
    errors = problem(api.post("machine-request-sets", json=body), 422, "validation")["errors"]
    assert [name for name in errors if name.startswith(field)]


def test_a_machine_request_set_needs_a_provider_that_is_there(api: httpx.Client, unique: Unique) -> None:
    body = {"id": unique("requests"), "provider_id": "never", "machine_count": 1}
    refused = api.post("machine-request-sets", json=body)
    assert refused.status_code == 422
    assert api.get(f"machine-request-sets/{body['id']}").status_code == 404
