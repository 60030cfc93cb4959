"""Links and pending machines: what Omni knows of machines before it knows the machines."""

from __future__ import annotations

import os

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Wait, changes

LINKS = "Links.omni.sidero.dev"
TOKEN = "node_unique_token"


def test_each_machine_has_a_link_and_they_name_each_other(reader: httpx.Client, free_machines: Machines) -> None:
    machine = free_machines(1)[0]
    link = reader.get(f"links/{machine}").json()
    assert link["_links"]["machine"] == f"/api/v1/machines/{machine}"
    assert link["node_subnet"].endswith("/64")
    assert link["node_public_key"]


def test_links_are_listed_and_searched(reader: httpx.Client, free_machines: Machines) -> None:
    machine = free_machines(1)[0]
    found = reader.get("links", params={"search": machine, "sort": "-connected"}).json()
    assert [item["id"] for item in found] == [machine]


def test_the_token_of_a_machine_is_never_shown(api: httpx.Client, omni: OmniClient) -> None:
    assert TOKEN not in api.get("links", params={"page_size": 1000}).text
    assert TOKEN not in api.get("pending-machines").text


def test_a_link_can_be_watched(reader: httpx.Client, free_machines: Machines) -> None:
    machine = free_machines(1)[0]
    with changes(reader, f"links/{machine}") as lines:
        assert machine in next(lines)


@pytest.mark.skipif("OMNI_ENDPOINT" in os.environ, reason="would use up the machines of a live Omni")
def test_removing_a_link_removes_the_machine(operator: httpx.Client, free_machines: Machines, wait_until: Wait) -> None:
    machine = free_machines(1)[0]
    would = operator.delete(f"links/{machine}?dry_run=true")
    assert (would.status_code, would.json()["state"]) == (200, "planned")
    assert operator.delete(f"links/{machine}").status_code in (202, 204)
    wait_until(lambda: operator.get(f"machines/{machine}").status_code == 404, 30, "the end of the machine")
    assert operator.get(f"links/{machine}").status_code == 404


def test_pending_machines_are_a_list(reader: httpx.Client) -> None:
    answer = reader.get("pending-machines")
    assert (answer.status_code, type(answer.json())) == (200, list)
