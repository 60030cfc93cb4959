"""Second names inside messages: read beside the first, written in its place, refused where the two disagree."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.rest import fields as wire
from resources.schematicconfiguration.schemas import SchematicConfigurationSchema

from .conftest import Caller

CLUSTERS = "Clusters.omni.sidero.dev"


@pytest.fixture
def cluster(api: Caller, omni: OmniClient) -> Iterator[str]:
    name = f"second-{secrets.token_hex(3)}"
    assert api.post("clusters", json={"id": name, "features": {"enable_workload_proxy": True}}).status_code == 201
    yield name
    omni.resources.remove(CLUSTERS, name)


def proxied(omni: OmniClient, cluster: str) -> bool:
    return bool(omni.resources.get(CLUSTERS, cluster)["spec"].get("features", {}).get("enable_workload_proxy"))


def test_a_feature_is_read_under_both_names(api: Caller, cluster: str) -> None:
    features = api.get(f"clusters/{cluster}").json["features"]

    assert (features["enable_workload_proxy"], features["workload_proxy"]) == (True, True)


@pytest.mark.parametrize("name", ["enable_workload_proxy", "workload_proxy"])
def test_a_patch_turns_a_feature_off_under_either_name(api: Caller, omni: OmniClient, cluster: str, name: str) -> None:
    answer = api.patch(f"clusters/{cluster}", json={"features": {name: False}})

    assert answer.status_code == 200, answer.text
    assert not proxied(omni, cluster)


def test_a_document_that_was_read_is_sent_back_as_it_is(api: Caller, omni: OmniClient, cluster: str) -> None:
    answer = api.put(f"clusters/{cluster}", json=api.get(f"clusters/{cluster}").json)

    assert answer.status_code == 200, answer.text
    assert proxied(omni, cluster)


def test_names_that_disagree_are_refused(api: Caller, omni: OmniClient, cluster: str) -> None:
    body: dict[str, Any] = api.get(f"clusters/{cluster}").json
    body["features"] |= {"enable_workload_proxy": False, "workload_proxy": True}

    answer = api.put(f"clusters/{cluster}", json=body)

    assert answer.status_code == 422, answer.text
    assert "features.enable_workload_proxy" in answer.json["errors"], answer.json
    assert proxied(omni, cluster)


LABEL = "omni.sidero.dev/"
DATA = "machine:\n  sysctls:\n    vm.swappiness: '3'\n"
#: A body, and both names of what it says twice.
DISAGREEING: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "a label": (
        "configpatches",
        {"id": "x", "data": DATA, "cluster": "a", "labels": {f"{LABEL}cluster": "b"}},
        {"cluster", f"labels.{LABEL}cluster"},
    ),
    "a label and an empty text": (
        "machinesets",
        {"id": "x", "cluster": "", "labels": {f"{LABEL}cluster": "b"}},
        {"cluster", f"labels.{LABEL}cluster"},
    ),
    "a number": (
        "machinesets",
        {"id": "x", "cluster": "a", "machine_count": 2, "machine_allocation": {"name": "c", "machine_count": 3}},
        {"machine_count", "machine_allocation.machine_count"},
    ),
    "a number and none": (
        "machinesets",
        {"id": "x", "cluster": "a", "machine_count": 0, "machine_allocation": {"name": "c", "machine_count": 3}},
        {"machine_count", "machine_allocation.machine_count"},
    ),
    "Omni's older name and its newer": (
        "machinesets",
        {"id": "x", "cluster": "a", "machine_class": {"name": "c"}, "machine_allocation": {"name": "d"}},
        {"machine_class", "machine_allocation"},
    ),
    "an id": ("auth/service-accounts", {"id": "a", "name": "b", "role": "Reader"}, {"id", "name"}),
    "a switch that is off": (
        "clusters",
        {"id": "x", "workload_proxy": False, "features": {"enable_workload_proxy": True}},
        {"workload_proxy", "features.enable_workload_proxy"},
    ),
    "a switch that is on": (
        "clusters",
        {"id": "x", "disk_encryption": True, "features": {"disk_encryption": False}},
        {"disk_encryption", "features.disk_encryption"},
    ),
    "a switch inside of a message": (
        "clusters",
        {"id": "x", "features": {"workload_proxy": False, "enable_workload_proxy": True}},
        {"features.workload_proxy", "features.enable_workload_proxy"},
    ),
    "a set and its label": (
        "clustermachines",
        {"id": "x", "machineset": "a", "labels": {f"{LABEL}machine-set": "b"}},
        {"machineset", f"labels.{LABEL}machine-set"},
    ),
    "a machine and the member that it is": ("clustermachines", {"id": "a", "machine_id": "b"}, {"id", "machine_id"}),
}


@pytest.mark.parametrize(("collection", "body", "names"), DISAGREEING.values(), ids=DISAGREEING)
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_two_names_that_disagree_are_refused_by_both(
    api: Caller, collection: str, body: dict[str, Any], names: set[str], query: str
) -> None:
    answer = api.post(f"{collection}{query}", json=body)

    assert (answer.status_code, answer.json["code"]) == (422, "validation"), answer.text
    assert names <= set(answer.json["errors"])


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"workload_proxy": True, "features": {"enable_workload_proxy": False}}, {"workload_proxy"}),
        ({"workload_proxy": None, "features": {"enable_workload_proxy": True}}, {"workload_proxy"}),
    ],
)
def test_a_patch_whose_names_disagree_is_refused(
    api: Caller, omni: OmniClient, cluster: str, change: dict[str, Any], names: set[str]
) -> None:
    answer = api.patch(f"clusters/{cluster}", json=change)

    assert (answer.status_code, set(answer.json["errors"])) == (422, names | {"features.enable_workload_proxy"})
    assert proxied(omni, cluster)


def test_names_that_agree_and_nulls_beside_a_value_are_taken(api: Caller, cluster: str) -> None:
    body = {
        "id": f"{cluster}-two",
        "workload_proxy": True,
        "disk_encryption": None,
        "features": {"enable_workload_proxy": True, "disk_encryption": True},
    }

    features = api.post("clusters?dry_run=true", json=body).json["features"]

    assert (features["enable_workload_proxy"], features["disk_encryption"]) == (True, True)


def test_a_patch_removes_by_a_second_name(api: Caller, omni: OmniClient, cluster: str) -> None:
    answer = api.patch(f"clusters/{cluster}", json={"workload_proxy": None})

    assert answer.status_code == 200, answer.text
    assert not proxied(omni, cluster)


def test_join_tokens_in_kernel_arguments_are_masked() -> None:
    args = ["console=ttyS0", "siderolink.api=grpc://omni.example.org:8090?jointoken=w7uVuW3zbVKIYQuzEcyetAHeYMeo5q2L"]

    shown = SchematicConfigurationSchema().render_spec({"kernel_args": args})

    assert shown["kernel_args"] == [args[0], f"siderolink.api=grpc://omni.example.org:8090?jointoken={wire.MASK}"]
