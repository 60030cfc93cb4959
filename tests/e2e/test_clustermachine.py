"""Machines as members of clusters: a machine set node makes one, and what is in one is Omni's own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, end_of, new_cluster, problem
from tests.e2e.conftest import Versions
from tests.e2e.machine_steps import MACHINE_SET_NODES, NO_MACHINE, Members, members


@pytest.fixture
def cluster(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Versions, wait_until: Wait
) -> Iterator[Members]:
    mine = members(api, made, unique, free_machines, versions, wait_until)
    wait_until(lambda: api.get(f"clustermachines/{mine.worker}").status_code == 200, 60, "the cluster machine")
    yield mine


def test_members_are_listed_by_cluster_and_by_machine_set(reader: httpx.Client, cluster: Members) -> None:
    by_cluster = reader.get("clustermachines", params={"cluster": cluster.cluster}).json()
    assert {item["id"] for item in by_cluster} == {cluster.control_plane, cluster.worker}
    by_set = reader.get("clustermachines", params={"machineset": f"{cluster.cluster}-workers"}).json()
    assert [item["id"] for item in by_set] == [cluster.worker]
    assert by_set[0]["_links"]["machine"] == f"/api/v1/machines/{cluster.worker}"


def test_the_talos_api_is_available_on_a_control_plane_that_runs(
    reader: httpx.Client, cluster: Members, wait_until: Wait
) -> None:
    def available(machine: str) -> bool:
        answer = reader.get(f"clustermachines/{machine}/status")
        return answer.status_code == 200 and bool(answer.json()["apid_available"])

    wait_until(lambda: available(cluster.control_plane), 60, "apid on the control plane")
    assert not available(cluster.worker)


@pytest.mark.parametrize("query", ["", "?dry_run=true"], ids=["done", "dry run"])
def test_a_change_is_refused_with_the_way_to_what_can_be_done(
    operator: httpx.Client, cluster: Members, query: str
) -> None:
    url = f"clustermachines/{cluster.worker}"
    body = operator.get(url).json()
    body["labels"]["a"] = "b"
    for answer in (operator.put(url + query, json=body), operator.patch(url + query, json={"labels": {"a": "b"}})):
        refused = problem(answer, 403, "omni-forbidden")
        assert "machine set node" in refused["hint"]


def test_a_machine_joins_by_its_node_and_leaves_with_it(
    operator: httpx.Client, cluster: Members, free_machines: Machines, omni: OmniClient, wait_until: Wait
) -> None:
    machine = free_machines(1)[0]
    joining = operator.post("clustermachines", json={"id": machine, "machineset": f"{cluster.cluster}-workers"})
    assert joining.status_code == 202, joining.text
    assert end_of(operator, joining, wait_until)["state"] == "succeeded"
    labels = omni.resources.get(MACHINE_SET_NODES, machine)["metadata"]["labels"]
    assert labels["omni.sidero.dev/machine-set"] == f"{cluster.cluster}-workers"
    assert operator.delete(f"clustermachines/{machine}?dry_run=true").json()["state"] == "planned"
    leaving = operator.delete(f"clustermachines/{machine}")
    assert leaving.status_code in (202, 204), leaving.text
    wait_until(lambda: operator.get(f"clustermachines/{machine}").status_code == 404, 60, "its end")


def test_a_machine_set_that_is_not_there_is_refused_by_name(operator: httpx.Client) -> None:
    answer = operator.post("clustermachines", json={"id": NO_MACHINE, "machineset": "never"})
    assert "machineset" in problem(answer, 422, "validation")["errors"]
    answer = operator.post("clustermachines", json={"id": NO_MACHINE})
    assert "machineset" in problem(answer, 422, "validation")["errors"]


def test_no_machine_joins_a_locked_cluster(api: httpx.Client, made: Made, unique: Unique, versions: Versions) -> None:
    name = unique("locked")
    new_cluster(api, made, name, talos_version=versions.talos, kubernetes_version=versions.kubernetes)
    labels = {"omni.sidero.dev/cluster": name, "omni.sidero.dev/role-worker": ""}
    assert api.post("machinesets", json={"id": f"{name}-workers", "labels": labels}).status_code == 201
    assert api.post(f"clusters/{name}/actions/lock").status_code == 200
    answer = api.post("clustermachines", json={"id": NO_MACHINE, "machineset": f"{name}-workers"})
    assert answer.status_code == 409, answer.text
