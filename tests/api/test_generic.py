"""``/resources``: every type of Omni's with the same contract as a plugin's, and no way around anybody's roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from omni_gateway.omni import OmniClient, types

from .conftest import Caller

CLASSES = "resources/machineclasses"


@pytest.fixture
def made(api: Caller) -> Iterator[dict[str, Any]]:
    """A machine class, made generically."""
    id = f"generic-{uuid4().hex[:6]}"
    answer = api.post(CLASSES, json={"id": id, "spec": {"match_labels": ["omni.sidero.dev/platform = metal"]}})
    assert answer.status_code == 201, answer.text
    yield answer.json
    api.delete(f"{CLASSES}/{id}")


def test_the_types_are_listed_with_where_their_objects_are(api: Caller) -> None:
    found = {item["type"]: item for item in api.get("resources").json}
    assert found["Clusters.omni.sidero.dev"]["_links"] == {
        "objects": "/api/v1/resources/Clusters.omni.sidero.dev",
        "resource": "/api/v1/clusters",
    }
    assert found["MachineRequests.omni.sidero.dev"]["namespace"] == "infra-provider"


def test_an_object_is_made_in_omni_with_its_spec_in_one_piece(made: dict[str, Any], omni: OmniClient) -> None:
    held = omni.resources.get(types.MACHINE_CLASSES, made["id"])
    assert held["spec"] == {"match_labels": ["omni.sidero.dev/platform = metal"]}
    assert made["spec"] == held["spec"]
    assert made["metadata"]["type"] == "MachineClasses.omni.sidero.dev"


@pytest.mark.parametrize("name", ["MachineClasses.omni.sidero.dev", "machineclasses.omni.sidero.dev", "MachineClasses"])
def test_a_type_is_found_by_any_of_its_names(api: Caller, made: dict[str, Any], name: str) -> None:
    assert api.get(f"resources/{name}/{made['id']}").json["id"] == made["id"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_type_is_a_404_that_names_near_ones(api: Caller, method: str) -> None:
    body = {"json": {"id": "x", "spec": {}}} if method == "post" else {}
    answer = getattr(api, method)("resources/machinestatusses", **body)
    assert answer.status_code == 404
    assert "did you mean 'machinestatuses' or " in answer.json["detail"]


@pytest.mark.parametrize("name", ["machineclass", "MachineClass", "mc", "machineclasses.omni"])
def test_a_type_is_found_by_the_short_names_that_omnictl_takes(api: Caller, made: dict[str, Any], name: str) -> None:
    assert api.get(f"resources/{name}/{made['id']}").json["id"] == made["id"]


def test_a_short_name_of_several_types_is_a_404_that_names_them(api: Caller) -> None:
    answer = api.get("resources/ms")
    assert answer.status_code == 404
    assert "MachineSets.omni.sidero.dev, MachineStatuses.omni.sidero.dev" in answer.json["detail"]


def test_the_http_contract_holds(api: Caller, made: dict[str, Any]) -> None:
    url = f"{CLASSES}/{made['id']}"
    read = api.get(url)
    assert api.get(url, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    patched = api.patch(url, json={"labels": {"team": "a"}}, headers={"If-Match": read.headers["ETag"]})
    assert (patched.status_code, patched.json["labels"]) == (200, {"team": "a"})
    assert api.patch(url, json={"labels": {}}, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    dry = api.put(url, json={"id": made["id"], "spec": {"match_labels": ["a = b"]}}, query_string={"dry_run": "true"})
    assert {"op": "replace", "path": "/spec/match_labels/0", "value": "a = b"} in dry.json["_dry_run"]["diff"]
    assert [item["id"] for item in api.get(f"{CLASSES}?label_selector=team=a").json] == [made["id"]]


def test_omnictls_spelling_and_enum_names_are_understood(api: Caller) -> None:
    id = f"generic-{uuid4().hex[:6]}"
    body = {"id": id, "spec": {"matchlabels": ["a = b"]}}
    assert api.post(CLASSES, json=body).json["spec"] == {"match_labels": ["a = b"]}
    assert api.delete(f"{CLASSES}/{id}").status_code in (202, 204)


def test_enums_read_by_name(api: Caller, wait_until: Callable[..., Any]) -> None:
    statuses = wait_until(lambda: api.get("resources/machinestatuses?page_size=5").json, what="machines")
    assert all(isinstance(item["spec"].get("power_state", ""), str) for item in statuses)


def test_a_member_that_the_type_does_not_have_is_named(api: Caller) -> None:
    answer = api.post(CLASSES, json={"id": "x", "spec": {"match_lables": []}})
    assert answer.status_code == 422
    assert answer.json["errors"] == {"spec.match_lables": ["Unknown field; did you mean 'match_labels'?"]}


def test_a_type_that_omni_keeps_to_itself_is_403(api: Caller) -> None:
    answer = api.post("resources/machinestatuses", json={"id": "x", "spec": {}})
    assert (answer.status_code, answer.json["grpc_code"]) == (403, "PERMISSION_DENIED")


def test_a_removal_is_told_as_an_operation_of_the_type(api: Caller, made: dict[str, Any]) -> None:
    answer = api.delete(f"{CLASSES}/{made['id']}")
    assert answer.status_code in (202, 204)
    told = api.get(f"operations/resource-destroy/MachineClasses.omni.sidero.dev%2F{made['id']}")
    assert (told.status_code, told.json["state"]) == (200, "succeeded")


def test_a_type_without_a_plugin_takes_an_admin(reader: Caller) -> None:
    answer = reader.get("resources/machinestatuses")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_a_type_with_a_plugin_takes_that_plugins_role(reader: Caller) -> None:
    assert reader.get("resources/clusters").status_code == 200
    assert reader.post("resources/clusters", json={"id": "x", "spec": {}}).status_code == 403


def test_types_whose_ids_are_secrets_send_callers_to_their_own_routes(api: Caller) -> None:
    answer = api.get("resources/jointokens")
    assert answer.status_code == 403
    assert "join-tokens" in answer.json["hint"]


def test_secrets_are_masked_and_survive_a_round_trip(api: Caller, omni: OmniClient) -> None:
    id = str(uuid4())
    ipmi = {"address": "192.0.2.1", "port": 623, "username": "admin", "password": "s3cret"}
    url = f"resources/inframachinebmcconfigs/{id}"
    made = api.post("resources/inframachinebmcconfigs", json={"id": id, "spec": {"ipmi": ipmi}})
    assert made.status_code == 201, made.text
    read = made.json
    assert read["spec"]["ipmi"]["password"] == "***"
    read["spec"]["ipmi"]["port"] = 624
    assert api.put(url, json=read).status_code == 200
    held = omni.resources.get(types.INFRA_MACHINE_BMC_CONFIGS, id)["spec"]["ipmi"]
    api.delete(url)
    assert (held["password"], held["port"]) == ("s3cret", 624)


def test_a_mask_is_no_value_for_a_new_secret(api: Caller) -> None:
    body = {"id": str(uuid4()), "spec": {"ipmi": {"password": "***"}}}
    answer = api.post("resources/inframachinebmcconfigs", json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["spec.ipmi.password"])
