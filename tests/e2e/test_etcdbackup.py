"""Etcd backups: taken now, listed over all clusters, told when they fail."""

from __future__ import annotations

import os

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import READY_SECONDS, Machines, Made, Unique, Wait, problem, skip_without_snapshots
from tests.e2e.conftest import Versions

URL = "etcdbackups"


def cluster(api: httpx.Client, made: Made, name: str, versions: Versions, machines: list[str]) -> str:
    body = {
        "id": name,
        **versions.cluster,
        "control_plane": {"machines": machines},
    }
    answer = api.post("clusters", json=body)
    assert answer.status_code == 201, answer.text
    made(f"clusters/{name}")
    return name


def test_a_backup_is_taken_and_listed(
    operator: httpx.Client,
    api: httpx.Client,
    made: Made,
    unique: Unique,
    versions: Versions,
    free_machines: Machines,
    wait_until: Wait,
    omni: OmniClient,
) -> None:
    name = cluster(api, made, unique("backup"), versions, free_machines(1))
    wait_until(lambda: operator.get(f"operations/cluster-create/{name}").json()["done"], READY_SECONDS, "the cluster")
    answer = operator.post(URL, json={"cluster": name})
    assert answer.status_code == 202, answer.text
    operation = answer.headers["Location"].removeprefix("/api/v1/")
    wait_until(lambda: operator.get(operation).json()["done"], 60, "the backup")
    skip_without_snapshots(omni, name)
    assert operator.get(operation).json()["state"] == "succeeded"
    mine = operator.get(URL, params={"cluster": name}).json()
    assert len(mine) == 1
    assert mine[0]["size"] > 0
    assert mine[0]["id"] in [item["id"] for item in operator.get(URL, params={"page_size": 1000}).json()]
    assert operator.get(f"clusters/{name}/etcdbackups").json() == mine
    assert operator.get(f"{URL}/{mine[0]['id']}").json() == mine[0]
    assert operator.get(f"{URL}/{mine[0]['id']}/status").json()["status"] == "Ok"


@pytest.mark.skipif("OMNI_ENDPOINT" in os.environ, reason="an older Omni (1.7) says nothing of such a cluster's backup")
def test_a_cluster_without_machines_has_no_backup_and_omni_says_why(
    operator: httpx.Client, api: httpx.Client, made: Made, unique: Unique, versions: Versions, wait_until: Wait
) -> None:
    name = unique("backup")
    body = {"id": name, "talos_version": versions.talos, "kubernetes_version": versions.kubernetes}
    assert api.post("clusters", json=body).status_code == 201
    made(f"clusters/{name}")
    operation = operator.post(URL, json={"cluster": name}).headers["Location"].removeprefix("/api/v1/")
    wait_until(lambda: operator.get(operation).json()["done"], 60, "the attempt")
    told = operator.get(operation).json()
    assert told["state"] == "failed"
    assert told["error"]


def test_nothing_is_asked_of_omni_by_a_dry_run_or_for_no_cluster(operator: httpx.Client, omni: OmniClient) -> None:
    problem(operator.post(URL, json={"cluster": "e2e-none"}), 404, "not-found")
    problem(operator.post(URL, json={}), 422, "validation")
    problem(operator.get("operations/etcd-backup/e2e-none"), 404, "not-found")
    problem(operator.get(f"{URL}/nonsense"), 404, "not-found")
    assert operator.get(URL, params={"cluster": "e2e-none"}).json() == []


def test_readers_take_no_backups(reader: httpx.Client) -> None:
    problem(reader.post(URL, json={"cluster": "any"}), 403, "forbidden")
