"""A machine's host name in the place of its id: taken if one machine has it, else refused with the candidates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.machines.hardware import set_fields
from omni_gateway.store import Store

from .conftest import NO_RATES, Caller
from .streams import told

STREAM = {"Accept": "application/x-ndjson"}
#: The cluster of a member, out of the reach of the restricted caller.
CLUSTER = "named"
Wait = Callable[..., Any]


@dataclass
class World:
    """A fleet whose host names the tests choose; ``free`` are ids of free machines, ``member`` is one of a cluster."""

    simulator: RunningSimulator
    app: Flask
    api: Caller
    restricted: Caller
    free: list[str]
    member: str
    wait_until: Wait

    def name(self, id: str, hostname: str) -> None:
        """Give a machine a host name, and wait until it is shown."""
        set_fields(self.simulator.store, id, {"hostname": hostname})

        def is_shown() -> bool:
            return bool(self.api.get(f"machines/{id}").json["hostname"] == hostname)

        self.wait_until(is_shown, what=f"the host name {hostname}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Wait) -> Iterator[World]:
    with running_simulator(fleet=6, speed=60, db=None) as simulator:
        omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=omni, state_dir=tmp_path_factory.mktemp("names"), **NO_RATES)
        app = create_app(settings)
        tokens = Store(settings.database_url).tokens
        api = Caller(app.test_client(), tokens.create("all", "admin", None)[1])
        restricted = Caller(app.test_client(), tokens.create("some", "operator", None, ["other-*"])[1])
        free = [item["id"] for item in api.get("machines?label_selector=omni.sidero.dev/available").json]
        member = free.pop()
        body = {"id": CLUSTER, "control_plane": {"machines": [member]}}
        assert api.post("clusters", json=body).status_code == 201
        wait_until(lambda: api.get(f"machines/{member}").json["cluster"] == CLUSTER, 30, "the member")
        wait_until(lambda: api.get("machines").headers["Cache-Status"].endswith("hit"), 45, "a hit")
        yield World(simulator, app, api, restricted, free, member, wait_until)


def test_a_machine_is_read_by_its_host_name(world: World) -> None:
    world.name(world.free[0], "worker-1")
    by_id, by_name = world.api.get(f"machines/{world.free[0]}"), world.api.get("machines/worker-1")
    assert (by_name.status_code, by_name.json) == (200, by_id.json)
    assert by_name.headers["ETag"] == by_id.headers["ETag"]
    assert by_name.headers["Content-Location"] == f"/api/v1/machines/{world.free[0]}"
    assert "Content-Location" not in by_id.headers


@pytest.mark.parametrize("path", ["status", "labels", "talos-version", "config-diff"])
def test_all_below_a_machine_is_read_by_its_host_name(world: World, path: str) -> None:
    world.name(world.free[0], "worker-1")
    by_id, by_name = world.api.get(f"machines/{world.free[0]}/{path}"), world.api.get(f"machines/worker-1/{path}")
    assert (by_id.status_code, by_name.status_code, by_name.json) == (200, 200, by_id.json)


@pytest.mark.parametrize("collection", ["links", "clustermachines", "machinesetnodes"])
def test_what_has_a_machines_id_is_read_by_its_host_name(world: World, collection: str) -> None:
    world.name(world.member, "control-1")
    assert world.api.get(f"{collection}/control-1").json["id"] == world.member


def test_a_write_by_host_name_is_one_to_the_machine(world: World) -> None:
    world.name(world.free[0], "worker-1")
    tag = world.api.get("machines/worker-1").headers["ETag"]
    answer = world.api.patch("machines/worker-1", json={"labels": {"by": "name"}}, headers={"If-Match": tag})
    stale = world.api.patch("machines/worker-1", json={"labels": {"by": "again"}}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json["id"]) == (200, world.free[0])
    assert (answer.headers["Content-Location"], stale.status_code) == (f"/api/v1/machines/{world.free[0]}", 412)


def test_an_action_by_host_name_has_an_operation_on_the_id_and_the_audit_names_the_id(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.name(world.free[1], "worker-2")
    answer = world.api.post("machines/worker-2/actions/reboot", json={})
    line = json.loads(caplog.records[-1].message)
    assert answer.status_code == 202, answer.text
    assert f"/{world.free[1]}~" in answer.headers["Location"] and "Content-Location" not in answer.headers
    assert (line["object_id"], line["path"]) == (world.free[1], "/api/v1/machines/worker-2/actions/reboot")


def test_a_watch_by_host_name_is_one_of_the_machine(world: World) -> None:
    world.name(world.free[0], "worker-1")
    answer = world.api.get("machines/worker-1", headers=STREAM, buffered=False)
    first = next(told(answer))
    answer.close()
    assert (first["type"], first["object"]["id"]) == ("ADDED", world.free[0])


def test_a_name_of_several_machines_is_refused_with_the_candidates(world: World) -> None:
    for id in world.free[:2]:
        world.name(id, "twin")
    for answer in (world.api.get("machines/twin"), world.api.patch("machines/twin", json={"labels": {"a": "b"}})):
        assert (answer.status_code, answer.json["code"]) == (409, "ambiguous-name")
        candidates = {each["id"]: each["url"] for each in answer.json["candidates"]}
        assert candidates == {id: f"/api/v1/machines/{id}" for id in world.free[:2]}


def test_a_cached_answer_follows_the_name_to_another_machine(world: World) -> None:
    world.name(world.free[0], "moving")
    world.wait_until(lambda: world.api.get("machines/moving").headers["Cache-Status"].endswith("hit"), 45, "a hit")
    before = world.api.get("machines/moving").json["id"]
    world.name(world.free[0], "left")
    gone = world.api.get("machines/moving").status_code
    world.name(world.free[1], "moving")
    after = world.api.get("machines/moving").json["id"]
    assert (before, gone, after) == (world.free[0], 404, world.free[1])


def test_an_id_wins_over_a_host_name(world: World) -> None:
    world.name(world.free[0], world.free[1])
    assert world.api.get(f"machines/{world.free[1]}").json["id"] == world.free[1]
    world.name(world.free[0], "worker-1")


def test_an_unknown_name_is_a_404_of_that_name(world: World) -> None:
    answer = world.api.get("machines/no-such-name")
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


def test_a_restricted_caller_knows_no_names_out_of_its_reach(world: World) -> None:
    world.name(world.member, "hidden")
    hidden, unknown = world.restricted.get("machines/hidden"), world.restricted.get("machines/no-such")
    assert (hidden.status_code, hidden.json["code"]) == (404, "not-found")
    assert hidden.json["detail"].replace("hidden", "no-such") == unknown.json["detail"]


def test_a_name_out_of_reach_makes_no_name_within_it_ambiguous(world: World) -> None:
    world.name(world.member, "shared")
    world.name(world.free[0], "shared")
    assert world.api.get("machines/shared").status_code == 409
    assert world.restricted.get("machines/shared").json["id"] == world.free[0]


def test_a_cluster_is_made_of_machines_by_host_name(world: World) -> None:
    for id, name in zip(world.free[:2], ("first", "second"), strict=True):
        world.name(id, name)
    body = {
        "id": "by-name",
        "control_plane": {"machines": ["first"]},
        "workers": [{"machines": [world.free[1]]}],
    }
    answer = world.api.post("clusters?dry_run=true", json=body)
    twice = world.api.post("clusters?dry_run=true", json={**body, "workers": [{"machines": [world.free[0]]}]})
    assert answer.status_code == 200, answer.text
    assert world.free[0] in answer.text and '"first"' not in answer.text
    assert twice.status_code == 422


def test_an_object_with_a_machines_id_is_made_by_host_name(world: World) -> None:
    world.name(world.member, "control-1")
    made = world.api.post("kernel-args", json={"id": "control-1", "args": ["quiet"]})
    again = world.api.put("kernel-args/control-1", json={"id": "control-1", "args": ["loud"]})
    other = world.api.put("kernel-args/control-1", json={"id": "no-such-name", "args": ["loud"]})
    listed = world.api.get("kernel-args?machine=control-1")
    world.api.delete("kernel-args/control-1")
    assert (made.status_code, made.json["id"]) == (201, world.member), made.text
    assert (again.status_code, again.json["args"], other.status_code) == (200, ["loud"], 422)
    assert [item["id"] for item in listed.json] == [world.member]


def test_a_config_patch_names_its_machine_by_host_name(world: World) -> None:
    world.name(world.member, "control-1")
    data = "machine:\n  sysctls:\n    vm.swappiness: '7'\n"
    made = world.api.post("configpatches", json={"id": "500-by-name", "machine": "control-1", "data": data})
    changed = world.api.patch("configpatches/500-by-name", json={"machine": "control-1", "labels": {"a": "b"}})
    listed = world.api.get("configpatches?machine=control-1")
    world.api.delete("configpatches/500-by-name")
    assert (made.status_code, made.json["machine"]) == (201, world.member), made.text
    assert (changed.status_code, changed.json["machine"]) == (200, world.member), changed.text
    assert [item["id"] for item in listed.json] == ["500-by-name"]


def test_a_restricted_caller_names_no_machine_out_of_its_reach_in_a_body(world: World) -> None:
    world.name(world.member, "hidden")
    body = {"data": "machine: {}", "labels": {"omni.sidero.dev/cluster": "other-1"}}
    hidden, unknown = (
        world.restricted.post("configpatches?dry_run=true", json={"id": "500-x", "machine": name, **body})
        for name in ("hidden", "no-such")
    )
    assert (hidden.status_code, hidden.json["code"]) == (unknown.status_code, unknown.json["code"])
