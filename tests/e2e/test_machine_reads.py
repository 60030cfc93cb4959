"""GET of machines and of what lies below them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import READY_SECONDS, Machines, Made, Unique, Wait, problem
from tests.e2e.conftest import Versions
from tests.e2e.machine_steps import MACHINE_STATUSES, NO_MACHINE, members

#: Omni's Machine has this label; the status, which has all others, does not.
ADDRESS = "omni.sidero.dev/address"
FLAT = {
    "id": str,
    "namespace": str,
    "management_address": str,
    "connected": bool,
    "use_grpc_tunnel": bool,
    "labels": dict,
    "hostname": str,
    "platform": str,
    "arch": str,
    "talos_version": str,
    "role": str,
    "maintenance": bool,
    "last_error": str,
    "_links": dict,
}


@pytest.fixture
def machine(free_machines: Machines) -> str:
    return free_machines(1)[0]


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()]


def test_a_machine_has_the_flat_fields_with_its_status_joined(
    api: httpx.Client, machine: str, omni: OmniClient
) -> None:
    document = api.get(f"machines/{machine}").json()
    assert {name: type(document[name]) for name in FLAT} == FLAT
    status = omni.resources.get(MACHINE_STATUSES, machine)
    assert document["hostname"] == status["spec"]["network"]["hostname"] == document["network"]["hostname"]
    assert document["arch"] == status["spec"]["hardware"]["arch"]
    assert document["talos_version"] == status["spec"]["talos_version"]
    assert document["labels"] == {ADDRESS: document["management_address"], **status["metadata"]["labels"]}


def test_a_free_machine_is_in_no_cluster_and_waits_in_maintenance_mode(api: httpx.Client, machine: str) -> None:
    document = api.get(f"machines/{machine}").json()
    assert (document["cluster"], document["role"], document["machine_set"]) == ("", "NONE", "")
    assert (document["maintenance"], document["locked"], document["extensions"]) == (True, None, None)
    assert "cluster" not in document["_links"]


def test_a_member_tells_its_cluster_its_set_and_its_role(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Versions, wait_until: Wait
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)
    worker, control_plane = (api.get(f"machines/{id}").json() for id in (of.worker, of.control_plane))
    assert (worker["cluster"], worker["machine_set"]) == (of.cluster, f"{of.cluster}-workers")
    assert (worker["role"], control_plane["role"]) == ("WORKER", "CONTROL_PLANE")
    assert (worker["locked"], worker["maintenance"]) == (False, False)
    assert worker["_links"]["cluster"] == f"/api/v1/clusters/{of.cluster}"
    listed = api.get(f"clusters/{of.cluster}/machines").json()
    assert {item["id"] for item in listed} == {of.worker, of.control_plane}

    def listed_as_read_alone() -> bool:
        # A new member's objects are written again and again, also between the two reads.
        in_list = next(item for item in api.get(f"clusters/{of.cluster}/machines").json() if item["id"] == of.worker)
        alone = api.get(f"machines/{of.worker}").json()
        return {**in_list, "metadata": None} == {**alone, "metadata": None}

    wait_until(listed_as_read_alone, 60, "a list that says what a read of one says")


def test_sizes_are_numbers_and_states_are_names(api: httpx.Client, machine: str) -> None:
    document = api.get(f"machines/{machine}").json()
    assert all(isinstance(disk["size"], int) for disk in document["hardware"]["blockdevices"])
    assert document["power_state"].startswith("POWER_STATE_")


@pytest.mark.parametrize("path", ["", "/status", "/kernel-args"])
def test_join_tokens_are_never_shown(api: httpx.Client, machine: str, omni: OmniClient, path: str) -> None:
    cmdline = omni.resources.get(MACHINE_STATUSES, machine)["spec"].get("kernel_cmdline", "")
    secrets = {part.split("jointoken=")[1].split("&")[0] for part in cmdline.split() if "jointoken=" in part}
    if not secrets:
        pytest.skip("needs a machine whose kernel command line holds a join token")
    text = api.get(f"machines/{machine}{path}").text
    assert [secret for secret in secrets if secret in text] == []
    assert "jointoken=***" in text


def test_a_list_is_as_its_objects_are_and_masks_as_well(api: httpx.Client, machine: str) -> None:
    listed = api.get("machines", params={"search": machine}).json()
    assert listed == [api.get(f"machines/{machine}").json()]


def test_lists_are_selected_by_labels(api: httpx.Client, machine: str) -> None:
    arch = api.get(f"machines/{machine}").json()["arch"]
    selected = api.get("machines", params={"label_selector": f"omni.sidero.dev/arch={arch}", "page_size": 1000}).json()
    assert machine in {item["id"] for item in selected}
    assert {item["arch"] for item in selected} == {arch}
    params = {"label_selector": f"omni.sidero.dev/arch!={arch}", "page_size": 1000}
    assert machine not in ids(api.get("machines", params=params))


def test_lists_are_selected_by_the_label_that_only_omnis_machine_has(api: httpx.Client, machine: str) -> None:
    address = api.get(f"machines/{machine}").json()["management_address"]
    assert ids(api.get("machines", params={"label_selector": f"{ADDRESS}={address}"})) == [machine]
    params = {"label_selector": f"{ADDRESS}!={address},{ADDRESS}", "page_size": 1000}
    assert machine not in ids(api.get("machines", params=params))


@pytest.mark.parametrize(("connected", "there"), [("true", True), ("false", False)])
def test_lists_are_filtered_by_connection(api: httpx.Client, machine: str, connected: str, there: bool) -> None:
    answer = api.get("machines", params={"connected": connected, "page_size": 1000})
    assert (machine in ids(answer)) is there
    assert {item["connected"] for item in answer.json()} <= {there}


def test_a_list_of_a_cluster_that_does_not_exist_is_empty(api: httpx.Client) -> None:
    assert ids(api.get("machines", params={"cluster": "there-is-none"})) == []


def test_lists_are_searched_by_host_name(api: httpx.Client, machine: str) -> None:
    hostname = api.get(f"machines/{machine}").json()["hostname"]
    assert machine in ids(api.get("machines", params={"search": hostname.upper()}))


def test_lists_are_sorted_and_paged_over_the_joined_machines(api: httpx.Client, free_machines: Machines) -> None:
    free_machines(3)
    by_name = api.get("machines", params={"sort": "-hostname", "page_size": 1000, "fields": "hostname"}).json()
    names = [item["hostname"] for item in by_name]
    assert names == sorted(names, reverse=True)
    page = api.get("machines", params={"sort": "-hostname", "page_size": 2, "page": 2})
    assert ids(page) == [item["id"] for item in by_name[2:4]]
    assert json.loads(page.headers["X-Pagination"])["total"] >= 3


def test_a_filter_that_is_no_truth_value_is_refused(api: httpx.Client) -> None:
    problem(api.get("machines", params={"connected": "perhaps"}), 422, "validation")


BELOW = ["status", "labels", "extensions", "upgrade-status", "kernel-args", "pending-updates"]


@pytest.mark.parametrize("what", BELOW)
def test_what_lies_below_has_the_machine_s_id(api: httpx.Client, machine: str, what: str) -> None:
    answer = api.get(f"machines/{machine}/{what}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == machine
    assert answer.headers["ETag"]


@pytest.mark.parametrize("what", [*BELOW, "config-diff", "metrics", "talos-version", "logs"])
def test_below_a_machine_that_does_not_exist_there_is_nothing(api: httpx.Client, what: str) -> None:
    problem(api.get(f"machines/{NO_MACHINE}/{what}"), 404, "not-found")


def test_the_status_names_what_it_has_in_flat_fields_too(api: httpx.Client, machine: str) -> None:
    status = api.get(f"machines/{machine}/status").json()
    assert (status["hostname"], status["arch"]) == (status["network"]["hostname"], status["hardware"]["arch"])
    assert status["platform"] == status["platform_metadata"]["platform"]


def test_extensions_name_their_phase(api: httpx.Client, machine: str) -> None:
    extensions = api.get(f"machines/{machine}/extensions").json()["extensions"]
    assert {item["phase"] for item in extensions} <= {"Installed", "Installing", "Removing"}
    assert api.get(f"machines/{machine}/upgrade-status").json()["phase"] in ("UpToDate", "Unknown", "Pending")


def test_the_talos_version_of_a_free_machine_is_what_it_runs(api: httpx.Client, machine: str) -> None:
    version = api.get(f"machines/{machine}/talos-version").json()
    assert version["talos_version"] == version["current_talos_version"]
    assert f"v{version['talos_version']}" == api.get(f"machines/{machine}").json()["talos_version"]
    assert version["up_to_date"] is True


def test_metrics_tell_connection_power_and_resources(api: httpx.Client, machine: str) -> None:
    metrics = api.get(f"machines/{machine}/metrics").json()
    document = api.get(f"machines/{machine}").json()
    assert metrics["connection"]["connected"] is True
    assert metrics["power_state"] == document["power_state"]
    disks = document["hardware"]["blockdevices"]
    assert metrics["resources"]["disk_bytes"] == sum(disk["size"] for disk in disks if not disk["cdrom"])
    assert metrics["resources"]["memory_bytes"] > 0


def test_changes_of_the_configuration_are_listed_newest_first(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Versions, wait_until: Wait
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)

    def diffs() -> list[dict[str, Any]]:
        return list(api.get(f"machines/{of.worker}/config-diff").json())

    wait_until(lambda: api.get(f"clusters/{of.cluster}/status").json()["ready"], READY_SECONDS, "the cluster")
    name = unique("patch")
    for value in ("10", "20"):
        id, before = f"{name}-{value}", len(diffs())  # patches apply in the order of their ids
        data = f'machine:\n  sysctls:\n    vm.swappiness: "{value}"\n'
        labels = {"omni.sidero.dev/cluster": of.cluster, "omni.sidero.dev/cluster-machine": of.worker}
        answer = api.post("configpatches", json={"id": id, "data": data, "labels": labels})
        assert answer.status_code == 201, answer.text
        made(f"configpatches/{id}")
        wait_until(lambda before=before: len(diffs()) > before, 60, "a config diff")
    found = diffs()
    assert [item["id"] for item in found] == sorted((item["id"] for item in found), reverse=True)
    assert found[0]["_links"]["self"] == f"/api/v1/machines/{of.worker}/config-diff"
    assert "vm.swappiness" in found[0]["diff"]
