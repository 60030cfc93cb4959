"""Specs in any spelling become what Omni's JSON has, and come back with names for enums."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.omni import types
from omni_gateway.omni.specs import SpecError, to_plain, to_wire
from omni_gateway.omni.types import OmniType, namespace_of

TABLE = Path(__file__).parents[2] / "contract" / "data" / "wire_resource_types.tsv"


def test_every_type_and_its_namespace_is_known() -> None:
    known = {str(item): item.namespace for item in vars(types).values() if isinstance(item, OmniType)}
    with TABLE.open() as file:
        told = {row["type"]: row["namespace"] for row in csv.DictReader(file, delimiter="\t")}
    assert known == told


def test_a_type_known_by_its_text_only_lives_in_the_default_namespace() -> None:
    assert namespace_of("Somethings.omni.sidero.dev") == "default"


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ({"backupconfiguration": {"interval": "1h0m0s"}}, {"backup_configuration": {"interval": "3600s"}}),
        ({"backup_configuration": {"interval": "1.5s"}}, {"backup_configuration": {"interval": "1.5s"}}),
        (
            {"talosversion": "1.9.0", "kubernetes_version": "1.32.0"},
            {"talos_version": "1.9.0", "kubernetes_version": "1.32.0"},
        ),
        ({"features": {"enableWorkloadProxy": True}}, {"features": {"enable_workload_proxy": True}}),
        ({"features": None}, {}),
    ],
)
def test_a_cluster_is_read_in_any_spelling(given: dict[str, Any], wire: dict[str, Any]) -> None:
    assert to_wire(types.CLUSTERS, given) == wire


def test_enums_are_written_by_name_or_number() -> None:
    assert to_wire(types.MACHINE_SETS, {"updatestrategy": "Rolling"}) == {"update_strategy": 1}
    assert to_wire(types.MACHINE_SETS, {"update_strategy": 1}) == {"update_strategy": 1}


def test_enums_read_by_name_and_wide_numbers_as_numbers() -> None:
    assert to_plain(types.MACHINE_SETS, {"update_strategy": 1}) == {"update_strategy": "Rolling"}
    assert to_plain(types.MACHINE_STATUSES, {"hardware": {"blockdevices": [{"size": "12"}]}}) == {
        "hardware": {"blockdevices": [{"size": 12}]}
    }


def test_a_wrong_enum_name_is_left_for_omni_to_refuse() -> None:
    assert to_wire(types.MACHINE_SETS, {"update_strategy": "Sideways"}) == {"update_strategy": "Sideways"}


def test_an_unknown_member_is_told_with_its_path_and_what_there_is() -> None:
    with pytest.raises(SpecError) as told:
        to_wire(types.CLUSTERS, {"features": {"enable_worklod_proxy": True}})
    assert told.value.path == "spec.features.enable_worklod_proxy"
    assert "enable_workload_proxy" in told.value.known


def test_the_keys_of_a_map_are_the_callers() -> None:
    spec = {"usergroups": {"some_Group": {"users": [{"name": "a@b.c"}]}}}
    assert to_wire(types.ACCESS_POLICIES, spec) == {"user_groups": {"some_Group": {"users": [{"name": "a@b.c"}]}}}


def test_a_type_that_nobody_described_passes_as_it_is() -> None:
    assert to_wire("News.omni.sidero.dev", {"Any": {"Thing": 1}}) == {"Any": {"Thing": 1}}
