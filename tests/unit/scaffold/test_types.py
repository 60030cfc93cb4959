"""``omni-gateway plugin types``: which types of Omni's are free, and which fields they have."""

from __future__ import annotations

import json

from omni_gateway.omni import messages

from .conftest import Run


def test_a_free_type_is_listed_with_its_fields_and_what_callers_may_do(run: Run) -> None:
    lines = run("types", "grpctunnel", "infraproviderstatuses").output.splitlines()
    assert lines[:2] == ["GRPCTunnelConfigs.omni.sidero.dev  (read, create, update, destroy)", "    enabled  boolean"]
    assert lines[2] == "InfraProviderStatuses.omni.sidero.dev  (read)"


def test_a_type_that_a_plugin_serves_is_listed_with_its_plugin_on_demand_only(run: Run) -> None:
    assert run("types", "MachineClasses").stdout == ""
    assert run("types", "MachineClasses", "--all").output.splitlines()[0] == (
        "MachineClasses.omni.sidero.dev  (read, create, update, destroy; served by machineclasses)"
    )


def test_a_type_that_is_served_below_another_ones_objects_is_not_free(run: Run) -> None:
    assert run("types", "MachineSetStatuses").stdout == ""


def test_fields_of_messages_lists_maps_and_enums_say_what_they_are(run: Run) -> None:
    lines = [
        line.strip().split("  ", 1) for line in run("types", "InfraMachineBMCConfigs", "UserPilot").output.splitlines()
    ]
    assert ["ipmi", "message"] in lines
    assert ["password", "string"] in lines
    every = run("types", "--all").output
    assert "list of message" in every
    assert "map of string" in every
    assert "one of UNSET, ENABLED, DISABLED" in every


def test_the_json_form_names_every_type_once(run: Run) -> None:
    types = json.loads(run("types", "--all", "--format", "json").output)
    assert sorted(each["type"] for each in types) == sorted(messages.known_types())
    [tunnels] = [each for each in types if each["singular"] == "GRPCTunnelConfig"]
    assert tunnels == {
        "type": "GRPCTunnelConfigs.omni.sidero.dev",
        "singular": "GRPCTunnelConfig",
        "namespace": "default",
        "verbs": ["create", "update", "destroy"],
        "plugins": [],
        "fields": [{"name": "enabled", "kind": "boolean"}],
    }


def test_a_word_that_no_type_has_is_said(run: Run) -> None:
    answer = run("types", "nonsense")
    assert (answer.stdout, answer.exit_code) == ("", 0)
    assert "No type has such a name" in answer.stderr
