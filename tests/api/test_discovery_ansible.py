"""An inventory as Ansible reads it: what `ansible-inventory` makes of a script that prints it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.simulator.embedded import running_simulator
from omni_gateway.simulator.state.resource import Resource

from .conftest import Caller
from .discovery_world import MINE, NOW, THEIRS, World, callers, discovery_world

URL = "discovery/ansible"
TOOL = Path(sys.executable).with_name("ansible-inventory")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with discovery_world(tmp_path_factory.mktemp("ansible"), wait_until) as made:
        yield made


def inventory(caller: Caller, query: str = "names=id") -> Any:
    answer = caller.get(f"{URL}?{query}", headers=NOW)
    assert answer.status_code == 200, answer.text
    return answer.json


def group_of(found: Any, prefix: str, host: str) -> str:
    """Return the only group with this prefix that a host is in."""
    (name,) = [name for name in found["all"]["children"] if name.startswith(prefix) and host in found[name]["hosts"]]
    return str(name)


def test_every_group_and_every_host_is_there_at_once(world: World) -> None:
    found = inventory(world.reader)
    assert found.keys() == {"_meta", "all", *found["all"]["children"]}
    assert sorted(found["_meta"]["hostvars"]) == sorted([world.control_plane, world.worker, world.theirs, *world.free])
    assert {host for name in found["all"]["children"] for host in found[name]["hosts"]} == set(
        found["_meta"]["hostvars"]
    )


def test_groups_are_by_role_machine_set_and_cluster(world: World) -> None:
    found = inventory(world.reader)
    assert sorted(found["role_controlplane"]["hosts"]) == sorted([world.control_plane, world.theirs])
    assert found["role_worker"]["hosts"] == [world.worker]
    assert found["machine_set_team_a_workers"]["hosts"] == [world.worker]
    assert sorted(found["free"]["hosts"]) == sorted(world.free)
    assert sorted(inventory(world.reader, f"names=id&cluster={MINE}")["cluster_team_a"]["hosts"]) == sorted(
        [world.control_plane, world.worker]
    )


def test_clusters_whose_names_are_the_same_to_ansible_are_different_groups(world: World) -> None:
    found = inventory(world.reader)
    mine, theirs = (group_of(found, "cluster_team_a_", host) for host in (world.worker, world.theirs))
    assert mine != theirs
    assert sorted(found[mine]["hosts"]) == sorted([world.control_plane, world.worker])
    assert found[theirs]["hosts"] == [world.theirs]


def test_groups_are_by_the_labels_of_users(world: World) -> None:
    world.label(world.worker, **{"example.org/rack": "b 7"})
    found = inventory(world.reader)
    assert found["label_example_org_rack_b_7"]["hosts"] == [world.worker]
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in found["all"]["children"])


def test_hosts_have_the_names_of_their_machines(world: World) -> None:
    names = {id: world.machine(id)["hostname"] for id in (world.control_plane, world.worker, world.theirs, *world.free)}
    assert len(set(names.values())) == len(names)
    assert inventory(world.reader, "")["_meta"]["hostvars"].keys() == set(names.values())


def test_variables_say_what_the_machine_is(world: World) -> None:
    machine = world.machine(world.worker)
    variables = inventory(world.reader)["_meta"]["hostvars"][world.worker]
    address = machine["network"]["addresses"][0].partition("/")[0]
    expected = {
        "ansible_host": address,
        "omni_id": world.worker,
        "omni_hostname": machine["hostname"],
        "omni_cluster": MINE,
        "omni_role": "worker",
        "omni_machine_set": f"{MINE}-workers",
        "omni_talos_version": machine["talos_version"],
        "omni_addresses": [address],
        "omni_management_address": machine["management_address"],
        "omni_connected": True,
        "omni_maintenance": False,
    }
    assert {name: variables[name] for name in expected} == expected


def test_a_label_that_ansible_would_evaluate_is_no_variable(world: World) -> None:
    world.label(world.worker, note="{{ lookup('pipe', 'id') }}", plain="{a}")
    labels = inventory(world.reader)["_meta"]["hostvars"][world.worker]["omni_labels"]
    assert ("note" in labels, labels["plain"]) == (False, "{a}")


def test_a_caller_held_to_a_cluster_gets_its_machines_and_free_ones(world: World) -> None:
    found = inventory(world.held)
    assert sorted(found["_meta"]["hostvars"]) == sorted([world.control_plane, world.worker, *world.free])
    # Without a digest, which would show that there is another cluster of such a name.
    assert sorted(found["cluster_team_a"]["hosts"]) == sorted([world.control_plane, world.worker])
    assert inventory(world.held, f"names=id&cluster={THEIRS}") == {"_meta": {"hostvars": {}}, "all": {"children": []}}


def test_a_host_name_that_is_not_that_of_one_host_is_not_used(tmp_path: Path) -> None:
    names = {
        "one": "node-1",
        "first": "twin",
        "second": "twin",
        "unnamed": "",
        "local": "localhost",
        "pattern": "all:!one",
        "template": "{{ 6 * 7 }}",
        "impostor": "one",
    }
    with running_simulator(fleet=0, speed=60, db=None) as simulator:
        for id, hostname in names.items():
            spec = {"network": {"hostname": hostname, "addresses": ["fe80::1/64", '2001:db8::1%"/64', "{{ 1 }}"]}}
            owner = "MachineStatusController"
            status = Resource("default", "MachineStatuses.omni.sidero.dev", id, spec, {}, owner=owner)
            simulator.store.create(status, owner=owner)
        _, reader, _ = callers(simulator, tmp_path)
        found = inventory(reader, "")["_meta"]["hostvars"]
        targets = reader.get("discovery/prometheus", headers=NOW).json
    assert found.keys() == {"node-1", *names} - {"one"}
    assert found["template"]["omni_hostname"] == ""
    assert found["node-1"]["omni_addresses"] == ["fe80::1", '2001:db8::1%"']
    assert targets == []


@pytest.mark.parametrize(
    ("query", "code"),
    [("names=uuid", "validation"), ("label_selector=a=(", "bad-selector"), ("host=a", "unknown-parameter")],
)
def test_what_cannot_be_meant_is_refused(world: World, query: str, code: str) -> None:
    answer = world.reader.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_unchanged_inventory_is_a_304(world: World) -> None:
    tag = world.reader.get(URL, headers=NOW).headers["ETag"]
    assert world.reader.get(URL, headers={"If-None-Match": tag, **NOW}).status_code == 304


def test_ansible_inventory_reads_it_as_it_is_meant(world: World, tmp_path: Path) -> None:
    if not TOOL.exists():
        pytest.skip("ansible-core is not installed")
    world.label(world.worker, note="{{ 6 * 7 }}")
    said = inventory(world.reader)
    (tmp_path / "inventory.json").write_text(json.dumps(said))
    script = tmp_path / "omni"
    script.write_text(f'#!/bin/sh\n[ "$1" = --list ] && exec cat "{tmp_path}/inventory.json"\nexit 1\n')
    script.chmod(0o755)
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [TOOL, "-i", script, "--list"], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    read = json.loads(done.stdout)
    assert read["_meta"]["hostvars"] == said["_meta"]["hostvars"]
    groups = {name: sorted(read[name]["hosts"]) for name in said["all"]["children"]}
    assert groups == {name: sorted(said[name]["hosts"]) for name in said["all"]["children"]}
    assert set(read["all"]["children"]) - {"ungrouped"} == set(said["all"]["children"])
