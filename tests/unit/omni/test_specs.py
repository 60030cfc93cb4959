"""Specs in any spelling become what Omni's JSON has, and come back with names for enums."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.omni import types
from omni_gateway.omni.specs import SpecError, nameless_enums, settled, to_plain, to_wire
from omni_gateway.omni.types import OmniType, namespace_of
from omni_gateway.plain_scalar import PlainScalar

TABLE = Path(__file__).parents[2] / "api" / "data" / "wire_resource_types.tsv"


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
        ({"backup_configuration": {"interval": "1.5s"}}, {"backup_configuration": {"interval": "1.500s"}}),
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


@pytest.mark.parametrize(
    ("type", "given", "wire"),
    [
        (
            types.ETCD_MANUAL_BACKUPS,
            {"backupat": {"seconds": 1795728858, "nanos": 5}},
            "2026-11-26T21:34:18.000000005Z",
        ),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": {"seconds": 0}}, "1970-01-01T00:00:00Z"),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": "2026-08-21T12:00:00.5+02:00"}, "2026-08-21T10:00:00.500Z"),
        (types.CONFIG_PATCHES, {"data": PlainScalar(1.1, "1.10")}, "1.10"),
        (types.CONFIG_PATCHES, {"data": PlainScalar(True, "yes")}, "yes"),
        (types.CONFIG_PATCHES, {"compresseddata": []}, ""),
        (types.CONFIG_PATCHES, {"compressed_data": [102, 111]}, "Zm8="),
        (types.MACHINE_REQUEST_SETS, {"machinecount": "3"}, 3),
        (types.MACHINE_REQUEST_SETS, {"machine_count": PlainScalar(3, "3")}, 3),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": {"seconds": 90, "nanos": 500_000_000}}, "90.500s"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": "1h0m0s"}, "3600s"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": "-1500ms"}, "-1.500s"),
    ],
)
def test_a_value_has_one_form_however_it_is_written(type: str, given: dict[str, Any], wire: Any) -> None:
    assert list(to_wire(type, given).values()) == [wire]


@pytest.mark.parametrize(
    ("type", "given", "path", "text"),
    [
        (types.MACHINE_SETS, {"update_strategy": "Sideways"}, "spec.update_strategy", "one of: "),
        (types.MACHINE_SETS, {"update_strategy": True}, "spec.update_strategy", "one of: "),
        (types.CONFIG_PATCHES, {"data": {"machine": {}}}, "spec.data", "text"),
        (types.CONFIG_PATCHES, {"data": "\ud800"}, "spec.data", "surrogate"),
        (types.CONFIG_PATCHES, {"compressed_data": [256]}, "spec.compressed_data", "base64"),
        (types.CONFIG_PATCHES, {"compressed_data": "%"}, "spec.compressed_data", "base64"),
        (types.MACHINE_REQUEST_SETS, {"machine_count": 2**31}, "spec.machine_count", "2147483647"),
        (types.MACHINE_REQUEST_SETS, {"machine_count": 1.5}, "spec.machine_count", "whole number"),
        (types.MACHINE_REQUEST_SETS, {"machine_count": "three"}, "spec.machine_count", "whole number"),
        (types.MACHINE_REQUEST_SETS, {"extensions": [None]}, "spec.extensions.0", "null"),
        (types.ACCESS_POLICIES, {"rules": "all"}, "spec.rules", "list"),
        (types.ACCESS_POLICIES, {"user_groups": []}, "spec.user_groups", "object"),
        (types.JOIN_TOKENS, {"revoked": "true"}, "spec.revoked", "true or false"),
        (types.CLUSTERS, {"backupconfiguration": "12h"}, "spec.backup_configuration", "object"),
        (types.CLUSTERS, {"talos_version": "1.9.0", "talosversion": "1.9.0"}, "spec.talos_version", "twice"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": 60}, "spec.interval", "duration"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": "1h junk"}, "spec.interval", "duration"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": {"seconds": 1, "nanos": -1}}, "spec.interval", "sign"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": {"seconds": 2**62}}, "spec.interval", "10,000 years"),
        (types.KUBERNETES_HEALTH_CHECKS, {"interval": {"hours": 1}}, "spec.interval", "duration"),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": "yesterday"}, "spec.backup_at", "RFC 3339"),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": "2026-13-01T00:00:00Z"}, "spec.backup_at", "RFC 3339"),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": {"seconds": 2**60}}, "spec.backup_at", "years"),
        (types.ETCD_MANUAL_BACKUPS, {"backup_at": {"nanos": -1}}, "spec.backup_at", "nanos"),
        (types.CLUSTER_STATUS_METRICS, {"phases": {"x": 1}}, "spec.phases.x", "key"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_path(
    type: str, given: dict[str, Any], path: str, text: str
) -> None:
    with pytest.raises(SpecError) as refused:
        to_wire(type, given)
    (fault,) = refused.value.faults
    assert fault.path == path
    assert text in fault.text


def test_every_fault_of_a_spec_is_told_within_a_bound() -> None:
    with pytest.raises(SpecError) as refused:
        to_wire(types.MACHINE_REQUEST_SETS, {"extensions": [1] * 1000, "machine_count": "x"})
    assert len(refused.value.faults) == 50


def test_an_unknown_member_is_told_with_its_path_and_what_there_is() -> None:
    with pytest.raises(SpecError) as refused:
        to_wire(types.CLUSTERS, {"features": {"enable_worklod_proxy": True}})
    (fault,) = refused.value.faults
    assert fault.path == "spec.features.enable_worklod_proxy"
    assert "enable_workload_proxy" in fault.known


@pytest.mark.parametrize(
    ("spec", "stored", "result"),
    [
        ({"talos_version": "1.9.0", "kubernetes_version": ""}, {}, {"talos_version": "1.9.0"}),
        ({"features": {"disk_encryption": False}}, {}, {}),
        ({"features": {"disk_encryption": False}}, {"features": {}}, {"features": {}}),
        ({"features": {}}, {}, {"features": {}}),
        ({"backup_configuration": {"interval": "0s"}}, {}, {"backup_configuration": {"interval": "0s"}}),
    ],
)
def test_values_that_are_spelled_out_as_zero_are_as_absent(
    spec: dict[str, Any], stored: dict[str, Any], result: dict[str, Any]
) -> None:
    assert settled(types.CLUSTERS, spec, stored) == result


@pytest.mark.parametrize("spec", [{"match_labels": []}, {"match_labels": None}, {}])
def test_an_empty_list_is_as_absent(spec: dict[str, Any]) -> None:
    assert settled(types.MACHINE_CLASSES, spec, {"match_labels": ["a = b"]}) == {}


def test_enum_numbers_without_a_name_are_found() -> None:
    assert nameless_enums(types.MACHINE_SETS, {"update_strategy": 77, "delete_strategy": 1}) == {
        "spec.update_strategy": 77
    }


def test_the_keys_of_a_map_are_the_callers() -> None:
    spec = {"usergroups": {"some_Group": {"users": [{"name": "a@b.c"}]}}}
    assert to_wire(types.ACCESS_POLICIES, spec) == {"user_groups": {"some_Group": {"users": [{"name": "a@b.c"}]}}}


def test_a_type_that_nobody_described_passes_as_it_is() -> None:
    assert to_wire("News.omni.sidero.dev", {"Any": {"Thing": 1}}) == {"Any": {"Thing": 1}}
