"""What a POST says of machine sets becomes Omni's objects, in the order in which they are written."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest

from resources.cluster.create.parts import parts_of
from resources.cluster.schemas.cluster import ClusterSchema

REQUEST: dict[str, Any] = {
    "id": "c1",
    "config_patches": [{"name": "all", "data": "machine: {}"}],
    "control_plane": {"machines": ["m1"], "config_patches": [{"name": "cp", "data": "cluster: {}"}]},
    "workers": [
        {"machines": ["m2", "m3"], "labels": {"tier": "web"}, "update_strategy": "Unset"},
        {"name": "gpu", "machine_class": "gpu", "machine_count": 2},
        {"name": "rest", "machine_class": "any", "machine_count": "unlimited"},
    ],
}


def parts(request: dict[str, Any]) -> list[Any]:
    loaded = ClusterSchema().load(request)
    return parts_of(loaded["id"], loaded)


def test_patches_come_first_then_sets_then_nodes() -> None:
    assert [(part.field, part.resource.type.split(".")[0], part.resource.id) for part in parts(REQUEST)] == [
        ("config_patches.0", "ConfigPatches", "200-cluster-c1-all"),
        ("control_plane.config_patches.0", "ConfigPatches", "400-c1-control-planes-cp"),
        ("control_plane", "MachineSets", "c1-control-planes"),
        ("workers.0", "MachineSets", "c1-workers"),
        ("workers.1", "MachineSets", "c1-workers-gpu"),
        ("workers.2", "MachineSets", "c1-workers-rest"),
        ("control_plane.machines.0", "MachineSetNodes", "m1"),
        ("workers.0.machines.0", "MachineSetNodes", "m2"),
        ("workers.0.machines.1", "MachineSetNodes", "m3"),
    ]


def test_a_set_carries_its_cluster_its_role_and_the_callers_labels() -> None:
    workers = next(part.resource for part in parts(REQUEST) if part.field == "workers.0")
    assert workers.labels == {"tier": "web", "omni.sidero.dev/cluster": "c1", "omni.sidero.dev/role-worker": ""}


def test_a_caller_cannot_point_a_set_at_another_cluster() -> None:
    request = {"id": "c1", "control_plane": {"machines": ["m1"], "labels": {"omni.sidero.dev/cluster": "other"}}}
    assert parts(request)[0].resource.labels["omni.sidero.dev/cluster"] == "c1"


def test_sets_are_updated_one_machine_at_a_time_unless_the_caller_says_otherwise() -> None:
    specs = {part.field: part.resource.spec for part in parts(REQUEST)}
    assert specs["control_plane"]["update_strategy"] == 1
    assert "update_strategy" not in specs["workers.0"]  # zero, Omni's Unset


def test_a_machine_class_becomes_an_allocation_and_no_nodes() -> None:
    specs = {part.field: part.resource.spec for part in parts(REQUEST)}
    assert specs["workers.1"]["machine_allocation"] == {"name": "gpu", "machine_count": 2}
    assert specs["workers.2"]["machine_allocation"] == {"name": "any", "allocation_type": 1}


def test_an_empty_request_makes_nothing_besides_the_cluster() -> None:
    assert parts({"id": "c1"}) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "machines"),
        ({"machines": []}, "machines"),
        ({"machines": ["m1"], "machine_class": "x", "machine_count": 1}, "machines"),
        ({"machine_class": "x"}, "machine_count"),
        ({"machines": ["m1"], "machine_count": 1}, "machine_count"),
        ({"machine_class": "x", "machine_count": -1}, "machine_count"),
        ({"machine_class": "x", "machine_count": True}, "machine_count"),
        ({"machine_class": "x", "machine_count": "all"}, "machine_count"),
        ({"machines": ["m1"], "labels": {"a": "line\nbreak"}}, "labels"),
        ({"machines": ["m1"], "update_strategy": "Fast"}, "update_strategy"),
        ({"machines": ["m1"], "masters": 3}, "masters"),
    ],
)
def test_a_set_that_cannot_be_meant_is_refused_by_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ma.ValidationError) as caught:
        ClusterSchema().load({"id": "c1", "control_plane": said})
    assert list(caught.value.messages_dict["control_plane"]) == [field]
