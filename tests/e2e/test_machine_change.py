"""PATCH of what a cluster's machine is told: its lock (`maintenance`), its extensions; all of a PATCH, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, problem
from tests.e2e.conftest import LetGo, Versions
from tests.e2e.machine_steps import (
    EXTENSIONS_CONFIGURATIONS,
    MACHINE_SET_NODES,
    Members,
    annotations_of,
    members,
    own_extensions,
    user_labels,
)

pytestmark = pytest.mark.slow

LOCKED = "omni.sidero.dev/locked"


@pytest.fixture
def of(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Versions, wait_until: Wait
) -> Iterator[Members]:
    """A cluster of two machines; labels outlive the cluster, so they are taken off."""
    cluster = members(api, made, unique, free_machines, versions, wait_until)
    yield cluster
    for machine in (cluster.worker, cluster.control_plane):
        assert api.patch(f"machines/{machine}", json={"labels": {"row": None}}).status_code == 200


@pytest.fixture
def extension(omni: OmniClient, versions: Versions) -> str:
    """The name of an extension that the cluster's Talos version has."""
    spec = omni.resources.get("TalosExtensions.omni.sidero.dev", versions.talos)["spec"]
    return str(next(item["name"] for item in spec["items"] if item["name"].startswith("siderolabs/")))


def locked(omni: OmniClient, machine: str) -> bool:
    return LOCKED in annotations_of(omni, MACHINE_SET_NODES, machine)


def test_a_worker_is_locked_and_unlocked(api: httpx.Client, of: Members, omni: OmniClient) -> None:
    url = f"machines/{of.worker}"
    answer = api.patch(url, json={"maintenance": True})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["maintenance"], answer.json()["locked"], locked(omni, of.worker)) == (True, True, True)
    assert api.get("machines", params={"search": of.worker}).json()[0]["maintenance"] is True
    answer = api.patch(url, json={"maintenance": False})
    assert (answer.json()["maintenance"], answer.json()["locked"], locked(omni, of.worker)) == (False, False, False)


def test_locking_twice_changes_nothing_more(api: httpx.Client, of: Members, omni: OmniClient) -> None:
    api.patch(f"machines/{of.worker}", json={"maintenance": True})
    before = annotations_of(omni, MACHINE_SET_NODES, of.worker)
    assert api.patch(f"machines/{of.worker}", json={"maintenance": True}).status_code == 200
    assert annotations_of(omni, MACHINE_SET_NODES, of.worker) == before


def test_what_cannot_be_locked_is_a_409_that_says_what_to_do(api: httpx.Client, of: Members) -> None:
    document = problem(api.patch(f"machines/{of.control_plane}", json={"maintenance": True}), 409, "conflict")
    assert f"clusters/{of.cluster}/actions/lock" in document["hint"]
    assert api.patch(f"machines/{of.control_plane}", json={"maintenance": False}).status_code == 200


@pytest.mark.parametrize("maintenance", [True, False])
def test_a_free_machine_has_no_lock(api: httpx.Client, free_machines: Machines, maintenance: bool) -> None:
    answer = api.patch(f"machines/{free_machines(1)[0]}", json={"maintenance": maintenance})
    assert "maintenance mode" in problem(answer, 409, "conflict")["hint"]


def test_a_locked_cluster_s_machines_cannot_be_locked(api: httpx.Client, of: Members, omni: OmniClient) -> None:
    assert api.post(f"clusters/{of.cluster}/actions/lock").status_code == 200
    answer = api.patch(f"machines/{of.worker}", json={"maintenance": True, "labels": {"row": "7"}})
    assert "unlock" in problem(answer, 409, "conflict")["hint"]
    assert (locked(omni, of.worker), user_labels(omni, of.worker)) == (False, {})


def test_extensions_become_a_list_for_this_machine_alone(
    api: httpx.Client, of: Members, omni: OmniClient, extension: str
) -> None:
    short = extension.removeprefix("siderolabs/")
    answer = api.patch(f"machines/{of.worker}", json={"extensions": [short]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["extensions"] == [extension]
    (made,) = own_extensions(omni, of.worker)
    assert made["spec"] == {"extensions": [extension]}
    assert made["metadata"]["labels"]["omni.sidero.dev/cluster"] == of.cluster
    assert api.get(f"machines/{of.control_plane}").json()["extensions"] is None


def test_extensions_arrive_on_the_machine(api: httpx.Client, of: Members, extension: str, wait_until: Wait) -> None:
    api.patch(f"machines/{of.worker}", json={"extensions": [extension]})

    def installed() -> bool:
        found = api.get(f"machines/{of.worker}/extensions").json()["extensions"]
        return any(item["name"] == extension and item["phase"] == "Installed" for item in found)

    wait_until(installed, 300, "the extension")
    assert extension in api.get(f"machines/{of.worker}").json()["schematic"]["extensions"]


def test_an_empty_list_means_none_and_null_leaves_it_to_the_cluster(
    api: httpx.Client, of: Members, omni: OmniClient, extension: str, wait_until: Wait
) -> None:
    url = f"machines/{of.worker}"
    api.patch(url, json={"extensions": [extension]})
    assert api.patch(url, json={"extensions": []}).json()["extensions"] == []
    assert len(own_extensions(omni, of.worker)) == 1
    assert api.patch(url, json={"extensions": None}).json()["extensions"] is None
    wait_until(lambda: not own_extensions(omni, of.worker), 30, "the end of the list")


@pytest.mark.parametrize(
    ("extensions", "field"),
    [
        (["no-such-extension"], "extensions.0"),
        (["tailscale", "siderolabs/tailscale"], "extensions.1"),
        ([""], "extensions.0"),
        ([7], "extensions.0"),
    ],
)
def test_wrong_extensions_are_refused_by_position(
    api: httpx.Client, of: Members, omni: OmniClient, extensions: list[Any], field: str
) -> None:
    answer = api.patch(f"machines/{of.worker}", json={"extensions": extensions, "maintenance": True})
    assert field in problem(answer, 422, "validation")["errors"]
    assert (own_extensions(omni, of.worker), locked(omni, of.worker)) == ([], False)


def test_a_free_machine_s_extensions_are_its_image_s(api: httpx.Client, free_machines: Machines) -> None:
    answer = api.patch(f"machines/{free_machines(1)[0]}", json={"extensions": ["siderolabs/tailscale"]})
    assert "installation medium" in problem(answer, 409, "conflict")["hint"]


def test_one_patch_does_all_three(api: httpx.Client, of: Members, omni: OmniClient, extension: str) -> None:
    body = {"labels": {"row": "7"}, "maintenance": True, "extensions": [extension]}
    document = api.patch(f"machines/{of.worker}", json=body).json()
    assert (document["labels"]["row"], document["maintenance"], document["extensions"]) == ("7", True, [extension])
    assert (user_labels(omni, of.worker), locked(omni, of.worker)) == ({"row": "7"}, True)


def test_a_dry_run_shows_all_three_and_does_none(
    api: httpx.Client, of: Members, omni: OmniClient, extension: str
) -> None:
    body = {"labels": {"row": "7"}, "maintenance": True, "extensions": [extension]}
    document = api.patch(f"machines/{of.worker}?dry_run=true", json=body).json()
    paths = {step["path"] for step in document["_dry_run"]["diff"]}
    assert paths == {"/labels/row", "/maintenance", "/locked", "/extensions"}
    assert (user_labels(omni, of.worker), locked(omni, of.worker)) == ({}, False)
    assert own_extensions(omni, of.worker) == []


def test_a_patch_that_is_wrong_in_part_does_nothing_at_all(api: httpx.Client, of: Members, omni: OmniClient) -> None:
    body = {"labels": {"row": "7"}, "maintenance": True}
    problem(api.patch(f"machines/{of.control_plane}", json=body), 409, "conflict")
    assert user_labels(omni, of.control_plane) == {}


def test_what_was_written_is_taken_back_when_a_later_write_fails(
    api: httpx.Client, of: Members, omni: OmniClient, extension: str, let_go: LetGo
) -> None:
    held = {"extensions": [extension]}
    labels = {"omni.sidero.dev/cluster": of.cluster, "omni.sidero.dev/cluster-machine": of.worker}
    id = f"{of.worker}-extensions"
    omni.resources.create(EXTENSIONS_CONFIGURATIONS, id, held, labels=labels)
    going = omni.resources.get(EXTENSIONS_CONFIGURATIONS, id)
    going["metadata"]["finalizers"] = [*going["metadata"].get("finalizers", []), "e2e"]
    omni.resources.update(going, version=None)
    omni.resources.teardown(EXTENSIONS_CONFIGURATIONS, id)
    answer = api.patch(
        f"machines/{of.worker}", json={"labels": {"row": "7"}, "maintenance": True, "extensions": [extension]}
    )
    state = (user_labels(omni, of.worker), locked(omni, of.worker))
    let_go(EXTENSIONS_CONFIGURATIONS, id, "e2e")
    problem(answer, 409, "conflict")
    assert state == ({}, False), json.dumps(answer.json())
