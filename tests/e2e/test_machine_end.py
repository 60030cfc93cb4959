"""Machines that go: shut down, or removed from Omni. They are lost to other tests, so these are few."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, end_of, problem
from tests.e2e.conftest import Versions
from tests.e2e.machine_steps import MACHINE_LABELS, NO_MACHINE, members

pytestmark = pytest.mark.skipif("OMNI_ENDPOINT" in os.environ, reason="would use up the machines of a live Omni")

Gone = Callable[[str, str], bool]
LINKS = "Links.omni.sidero.dev"


def test_a_machine_that_is_shut_down_can_be_told_nothing_more(
    api: httpx.Client, free_machines: Machines, wait_until: Wait
) -> None:
    machine = free_machines(1)[0]
    answer = api.post(f"machines/{machine}/actions/shutdown", json={"force": True})
    assert answer.status_code == 202, answer.text
    assert end_of(api, answer, wait_until)["state"] == "succeeded"
    assert machine in {item["id"] for item in api.get("machines?connected=false").json()}
    for action in ("reboot", "shutdown", "reset"):
        document = problem(api.post(f"machines/{machine}/actions/{action}"), 409, "conflict")
        assert "not connected" in document["detail"]
    assert api.delete(f"machines/{machine}").status_code in (202, 204)


def test_a_removed_machine_is_gone_with_all_that_is_said_of_it(
    api: httpx.Client, free_machines: Machines, wait_until: Wait, omni: OmniClient, gone: Gone
) -> None:
    machine = free_machines(1)[0]
    api.patch(f"machines/{machine}", json={"labels": {"row": "7"}})
    tag = api.get(f"machines/{machine}").headers["ETag"]
    assert api.delete(f"machines/{machine}?dry_run=true").json()["state"] == "planned"
    problem(api.delete(f"machines/{machine}", headers={"If-Match": '"other-1"'}), 412, "stale-precondition")
    problem(api.get(f"operations/machine-destroy/{machine}"), 404, "not-found")
    answer = api.delete(f"machines/{machine}", headers={"If-Match": tag})
    assert answer.status_code in (202, 204), answer.text
    wait_until(lambda: api.get(f"machines/{machine}").status_code == 404, 60, "the end of the machine")
    assert api.get(f"operations/machine-destroy/{machine}").json()["state"] == "succeeded"
    assert gone(LINKS, machine)
    wait_until(lambda: gone(MACHINE_LABELS, machine), 30, "the end of its labels")


def test_a_member_leaves_its_cluster_before_it_goes(
    api: httpx.Client,
    made: Made,
    unique: Unique,
    free_machines: Machines,
    versions: Versions,
    wait_until: Wait,
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)
    answer = api.delete(f"machines/{of.worker}")
    if answer.status_code == 202:
        assert answer.json()["kind"] == "machine-destroy"
        assert end_of(api, answer, wait_until)["state"] == "succeeded"
    else:
        assert answer.status_code == 204, answer.text
    assert api.get(f"machines/{of.worker}").status_code == 404
    assert {item["id"] for item in api.get(f"clusters/{of.cluster}/machines").json()} == {of.control_plane}


def test_a_machine_that_does_not_exist_cannot_be_removed(api: httpx.Client) -> None:
    problem(api.delete(f"machines/{NO_MACHINE}"), 404, "not-found")
