"""Specs as JSON: lenient in what is read, of one shape in what is written."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.simulator.errors import Unknown
from omni_gateway.simulator.wire.codec import decode, encode
from omni_gateway.simulator.wire.types import catalogue, messages


def test_names_of_either_case_are_read_and_snake_case_is_kept() -> None:
    given = {"kubernetesVersion": "1.35.6", "talos_version": "1.13.7", "features": {"enableWorkloadProxy": True}}

    assert decode("specs.ClusterSpec", given) == {
        "kubernetes_version": "1.35.6",
        "talos_version": "1.13.7",
        "features": {"enable_workload_proxy": True},
    }


@pytest.mark.parametrize("value", ["Rolling", 1])
def test_enums_are_read_by_name_and_by_number_and_kept_as_numbers(value: object) -> None:
    assert decode("specs.MachineSetSpec", {"update_strategy": value}) == {"update_strategy": 1}


def test_a_number_that_an_enum_does_not_have_is_kept() -> None:
    assert decode("specs.MachineSetSpec", {"update_strategy": 7}) == {"update_strategy": 7}


@pytest.mark.parametrize("value", [532916, "532916"])
def test_wide_integers_are_read_as_numbers_or_text_and_written_as_text(value: object) -> None:
    spec = decode("specs.EtcdBackupSpec", {"size": value})

    assert spec == {"size": 532916}
    assert encode("specs.EtcdBackupSpec", spec) == {"size": "532916"}


def test_zero_values_are_left_out_but_an_empty_message_stays() -> None:
    spec = {"talos_version": "", "features": {"disk_encryption": False}, "backup_configuration": {}}

    assert encode("specs.ClusterSpec", spec) == {"features": {}, "backup_configuration": {}}


def test_lists_and_maps_are_left_out_when_empty() -> None:
    spec = {"image_labels": {}, "diagnostics": [], "power_state": 2}

    assert encode("specs.MachineStatusSpec", spec) == {"power_state": 2}


def test_times_are_read_in_any_zone_and_kept_in_utc() -> None:
    given = {"backup_at": "2026-11-23T20:00:00+01:00"}

    assert decode("specs.EtcdManualBackupSpec", given) == {"backup_at": "2026-11-23T19:00:00Z"}


@pytest.mark.parametrize(
    "spec",
    [
        {"colour": "red"},
        {"kubernetes_version": 1},
        {"features": []},
        {"features": {"disk_encryption": "yes"}},
        {"backup_configuration": {"interval": "an hour"}},
        [],
        "text",
        None,
    ],
)
def test_what_does_not_fit_the_message_is_unknown(spec: Any) -> None:
    with pytest.raises(Unknown):
        decode("specs.ClusterSpec", spec)


@pytest.mark.parametrize(
    ("message", "spec"),
    [
        ("specs.MachineSetSpec", {"update_strategy": "Sideways"}),
        ("specs.MachineRequestSetSpec", {"machine_count": 2**31}),
        ("specs.MachineRequestSetSpec", {"machine_count": 1.5}),
        ("specs.EtcdManualBackupSpec", {"backup_at": "2026-11-23T20:00:00"}),
        ("specs.ConfigPatchSpec", {"compressed_data": "not base64!"}),
        ("specs.MachineClassSpec", {"match_labels": "a"}),
        ("specs.AccessPolicySpec", {"user_groups": []}),
    ],
)
def test_scalars_are_checked(message: str, spec: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        decode(message, spec)


def test_a_null_is_as_if_it_were_not_there() -> None:
    assert decode("specs.ClusterSpec", {"features": None}) == {}


def test_a_field_that_there_is_not_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="colour"):
        encode("specs.ClusterSpec", {"colour": "red"})


def test_every_type_has_its_message() -> None:
    known = {known.message for known in catalogue().values()} - {None}

    assert known <= messages().keys()
    assert len(catalogue()) == 155
