"""What can be done to a machine: reboot, shutdown, reset, maintenance, power; and every way in which it is refused."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, end_of, problem, running_cluster
from tests.e2e.conftest import Versions
from tests.e2e.machine_steps import MACHINE_SET_NODES, NO_MACHINE, await_reboot, members, shows_reboots

SNAPSHOTS = "MachineStatusSnapshots.omni.sidero.dev"
ACTIONS: dict[str, dict[str, Any]] = {
    "reboot": {"mode": "DEFAULT"},
    "shutdown": {"force": False},
    "reset": {"force": False},
    "maintenance": {"operation": "upgrade", "version": "1.13.8"},
    "power-on": {},
    "power-off": {},
}


@pytest.fixture
def machine(free_machines: Machines) -> str:
    return free_machines(1)[0]


def act(api: httpx.Client, machine: str, action: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
    return api.post(f"machines/{machine}/actions/{action}", json=body, params=query)


def boot_id(omni: OmniClient, machine: str) -> str:
    """Return what tells one boot from another; empty where an older Omni (before 1.10) does not tell it."""
    return str(omni.resources.get(SNAPSHOTS, machine)["spec"].get("boot_id", ""))


def test_a_free_machine_reboots_and_the_operation_ends_when_it_is_back(
    api: httpx.Client, machine: str, omni: OmniClient, wait_until: Wait
) -> None:
    if not shows_reboots(omni, machine):
        pytest.skip("an emulated machine in no cluster shows no sign of its reboot on an Omni without boot ids")
    before = boot_id(omni, machine)
    answer = act(api, machine, "reboot")
    assert answer.status_code == 202, answer.text
    # On a busy machine the simulator's sixtyfold life may have rebooted it before the answer is made.
    assert (answer.json()["kind"], answer.json()["state"] in ("running", "succeeded")) == ("machine-reboot", True)
    assert answer.json()["_links"]["target"] == f"/api/v1/machines/{machine}"
    operation = end_of(api, answer, wait_until)
    assert operation["state"] == "succeeded", operation
    assert boot_id(omni, machine) != before or not before
    assert api.get(f"machines/{machine}").json()["connected"] is True


def test_a_member_reboots_and_its_cluster_comes_back(
    api: httpx.Client,
    made: Made,
    unique: Unique,
    free_machines: Machines,
    versions: Versions,
    wait_until: Wait,
) -> None:
    name, machines = unique("c"), free_machines(2)
    running_cluster(api, made, name, machines, versions, wait_until)
    answer = act(api, machines[1], "reboot", {"mode": "POWERCYCLE"})
    assert end_of(api, answer, wait_until)["state"] == "succeeded"
    wait_until(lambda: api.get(f"clusters/{name}/status").json()["ready"], 300, "the cluster")


@pytest.mark.parametrize("action", ["reboot", "shutdown"])
def test_a_dry_run_leaves_the_machine_running(api: httpx.Client, machine: str, omni: OmniClient, action: str) -> None:
    before = boot_id(omni, machine)
    document = act(api, machine, action, dry_run=True).json()
    assert (document["kind"], document["state"], document["_dry_run"]["diff"]) == (f"machine-{action}", "planned", [])
    assert boot_id(omni, machine) == before
    assert api.get(f"machines/{machine}").json()["connected"] is True


def test_the_same_key_reboots_once(
    api: httpx.Client, machine: str, omni: OmniClient, unique: Unique, wait_until: Wait
) -> None:
    headers = {"Idempotency-Key": unique("key")}
    first = api.post(f"machines/{machine}/actions/reboot", headers=headers)
    again = api.post(f"machines/{machine}/actions/reboot", headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    await_reboot(api, omni, machine, first, wait_until)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("reboot", {"mode": "SOMEHOW"}, "mode"),
    ("reboot", {"moed": "DEFAULT"}, "moed"),
    ("shutdown", {"force": "yes"}, "force"),
    ("reset", {"force": 1}, "force"),
    ("maintenance", {}, "operation"),
    ("maintenance", {"operation": "explode"}, "operation"),
    ("maintenance", {"operation": "install"}, "disk"),
    ("maintenance", {"operation": "upgrade"}, "version"),
    ("maintenance", {"operation": "upgrade", "version": "latest"}, "version"),
    ("maintenance", {"operation": "upgrade", "version": "99.0.0"}, "version"),
    ("maintenance", {"operation": "upgrade", "version": "1.13.8", "disk": "/dev/sda"}, "disk"),
    ("maintenance", {"operation": "install", "disk": "/dev/there-is-none"}, "disk"),
]


@pytest.mark.parametrize(("action", "body", "field"), BAD)
def test_a_bad_body_is_refused_by_field(
    api: httpx.Client, machine: str, action: str, body: dict[str, Any], field: str
) -> None:
    assert field in problem(act(api, machine, action, body), 422, "validation")["errors"]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_to_a_machine_that_does_not_exist(api: httpx.Client, action: str, dry_run: bool) -> None:
    answer = act(api, NO_MACHINE, action, ACTIONS[action] or None, dry_run=dry_run)
    problem(answer, 404, "not-found")


@pytest.mark.parametrize("kind", ["machine-reboot", "machine-shutdown", "machine-maintenance", "machine-power-on"])
def test_a_machine_that_does_not_exist_has_no_operations(api: httpx.Client, kind: str) -> None:
    problem(api.get(f"operations/{kind}/{NO_MACHINE}"), 404, "not-found")


@pytest.mark.needs_omni("1.8")
@pytest.mark.parametrize(("action", "instead"), [("power-on", "by hand"), ("power-off", "actions/shutdown")])
def test_only_an_infra_provider_s_machines_are_switched(
    api: httpx.Client, machine: str, action: str, instead: str
) -> None:
    document = problem(act(api, machine, action), 409, "conflict")
    assert document["grpc_code"] == "FAILED_PRECONDITION"
    assert instead in document["hint"]


def test_a_free_machine_is_not_reset_and_talos_says_why(api: httpx.Client, machine: str) -> None:
    answer = act(api, machine, "reset", {"graceful": False, "reboot": True})
    if answer.status_code == 501:  # the Talos of an emulated machine does not know the call at all
        assert "does not know" in problem(answer, 501, "not-implemented")["hint"]
    else:
        assert "admin role" in problem(answer, 403, "omni-forbidden")["hint"]
    assert act(api, machine, "reset", dry_run=True).json()["_dry_run"]["diff"] == []


def test_a_worker_is_reset_by_leaving_its_cluster(
    api: httpx.Client,
    made: Made,
    unique: Unique,
    free_machines: Machines,
    versions: Versions,
    wait_until: Wait,
) -> None:
    name, machines = unique("c"), free_machines(2)
    running_cluster(api, made, name, machines, versions, wait_until)
    answer = act(api, machines[1], "reset")
    assert answer.status_code == 202, answer.text
    assert (answer.json()["kind"], answer.json()["id"]) == ("machine-reset", machines[1])
    operation = end_of(api, answer, wait_until)
    assert operation["state"] == "succeeded", operation
    document = api.get(f"machines/{machines[1]}").json()
    assert (document["cluster"], document["role"], document["maintenance"]) == ("", "NONE", True)


def test_resets_that_may_not_be_are_409s_that_say_what_to_do(
    api: httpx.Client,
    made: Made,
    unique: Unique,
    free_machines: Machines,
    versions: Versions,
    wait_until: Wait,
    omni: OmniClient,
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)
    assert '"force": true' in problem(act(api, of.control_plane, "reset"), 409, "conflict")["hint"]
    api.patch(f"machines/{of.worker}", json={"maintenance": True})
    assert '"maintenance": false' in problem(act(api, of.worker, "reset"), 409, "conflict")["hint"]
    api.patch(f"machines/{of.worker}", json={"maintenance": False})
    dry = act(api, of.control_plane, "reset", {"force": True}, dry_run=True).json()
    assert {"op": "replace", "path": "/cluster", "value": ""} in dry["_dry_run"]["diff"]
    api.post(f"clusters/{of.cluster}/actions/lock")
    assert "unlock" in problem(act(api, of.worker, "reset"), 409, "conflict")["hint"]
    problem(api.get(f"operations/machine-reset/{of.worker}"), 404, "not-found")
    assert omni.resources.get(MACHINE_SET_NODES, of.control_plane)["metadata"]["phase"] == "running"


def test_a_member_s_talos_is_its_cluster_s_business(
    api: httpx.Client,
    made: Made,
    unique: Unique,
    free_machines: Machines,
    versions: Versions,
    wait_until: Wait,
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)
    connected = lambda: api.get(f"machines/{of.worker}").json()["connected"]  # noqa: E731
    wait_until(connected, 120, "the worker")
    body = {"operation": "upgrade", "version": versions.talos_next}
    for dry_run in (True, False):
        document = problem(act(api, of.worker, "maintenance", body, dry_run=dry_run), 409, "conflict")
        assert f"clusters/{of.cluster}/actions/talos-upgrade" in document["hint"]


def test_a_free_machine_is_upgraded_and_the_operation_follows_it(
    api: httpx.Client, machine: str, versions: Versions, wait_until: Wait
) -> None:
    version = api.get(f"machines/{machine}/talos-version").json()["talos_version"]
    other = versions.talos_next if version == versions.talos else versions.talos
    body = {"operation": "upgrade", "version": f"v{other}"}
    assert act(api, machine, "maintenance", body, dry_run=True).status_code == 200
    answer = act(api, machine, "maintenance", body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["kind"] == "machine-maintenance"
    operation = end_of(api, answer, wait_until)
    assert operation["state"] == "succeeded", operation
    assert api.get(f"machines/{machine}").json()["talos_version"] == f"v{other}"


@pytest.mark.needs_omni("1.9")
def test_talos_is_installed_on_a_free_machine_once(
    api: httpx.Client, free_machines: Machines, wait_until: Wait
) -> None:
    documents = [api.get(f"machines/{id}").json() for id in free_machines(6)]
    empty = [document for document in documents if "omni.sidero.dev/installed" not in document["labels"]]
    if not empty:
        pytest.skip("needs a machine that Talos is not installed on")
    document, machine = empty[0], empty[0]["id"]
    body = {"operation": "install", "disk": document["hardware"]["blockdevices"][0]["linux_name"]}
    answer = act(api, machine, "maintenance", body)
    if answer.status_code != 202 and "OMNI_ENDPOINT" in os.environ:
        pytest.skip(
            f"needs machines that can be installed; these answer {answer.status_code}: {answer.json()['detail']}"
        )
    assert answer.status_code == 202, answer.text
    operation = end_of(api, answer, wait_until)
    assert operation["state"] == "succeeded", operation
    problem(act(api, machine, "maintenance", body), 409, "conflict")
