"""Second names inside messages: read beside the first, written in its place, refused where the two disagree."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.sdk import fields as wire
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
    assert "features.workload_proxy" in answer.json["errors"], answer.json
    assert proxied(omni, cluster)


def test_join_tokens_in_kernel_arguments_are_masked() -> None:
    args = ["console=ttyS0", "siderolink.api=grpc://omni.example.org:8090?jointoken=w7uVuW3zbVKIYQuzEcyetAHeYMeo5q2L"]

    shown = SchematicConfigurationSchema().render_spec({"kernel_args": args})

    assert shown["kernel_args"] == [args[0], f"siderolink.api=grpc://omni.example.org:8090?jointoken={wire.MASK}"]
