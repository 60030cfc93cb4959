"""What labels give to machines is for a cluster: that of the machine set or the machine, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient

from .conftest import Caller

LABEL = "omni.sidero.dev"
CLUSTER, SET, MEMBER, MACHINE = (f"{LABEL}/{name}" for name in ("cluster", "machine-set", "cluster-machine", "machine"))
DATA = "machine:\n  sysctls:\n    vm.swappiness: '3'\n"
MINE, OTHER = "targets", "targets-other"
OURS = f"{MINE}-control-planes"


@pytest.fixture(scope="module")
def member(app: Flask, tokens: dict[str, str], wait_until: Callable[..., Any]) -> Iterator[str]:
    """Two clusters with a machine set; the machine of the first."""
    api = Caller(app.test_client(), tokens["admin"])
    free = api.get("machines?label_selector=omni.sidero.dev/available&page_size=1").json[0]["id"]
    for body in ({"id": MINE, "control_plane": {"machines": [free]}}, {"id": OTHER}):
        assert api.post("clusters", json=body).status_code == 201
    labels = {CLUSTER: OTHER, f"{LABEL}/role-worker": ""}
    assert api.post("machinesets", json={"id": f"{OTHER}-workers", "labels": labels}).status_code == 201
    yield free
    for name in (MINE, OTHER):
        api.delete(f"clusters/{name}")
        wait_until(lambda name=name: api.get(f"clusters/{name}").status_code == 404, 60, f"the end of {name}")


WAYS = ("configpatches", "extensions-configurations", "resources/configpatches", "resources/extensionsconfigurations")


def body_of(way: str, id: str, labels: dict[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = {"data": DATA} if "patch" in way else {"extensions": []}
    return {"id": id, "labels": labels, **({"spec": content} if way.startswith("resources") else content)}


@pytest.fixture(params=WAYS)
def post(api: Caller, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Make an object of one kind with these labels, and remove it in the end."""
    id = f"500-{uuid4().hex[:8]}"
    yield lambda labels, query="": api.post(f"{request.param}{query}", json=body_of(request.param, id, labels))
    api.delete(f"{request.param}/{id}")


def refused_fields(answer: Any) -> set[str]:
    assert (answer.status_code, answer.json["code"]) == (422, "validation"), answer.text
    return set(answer.json["errors"])


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
@pytest.mark.parametrize("label", [SET, MEMBER])
def test_the_cluster_is_that_of_the_set_or_the_machine(
    post: Callable[..., Any], member: str, label: str, query: str
) -> None:
    answer = post({label: OURS if label == SET else member}, query)
    assert answer.status_code in (200, 201), answer.text
    assert answer.json["labels"][CLUSTER] == MINE


@pytest.mark.parametrize("label", [SET, MEMBER])
def test_without_a_cluster_a_set_or_machine_that_is_in_none_is_refused(post: Callable[..., Any], label: str) -> None:
    answer = post({label: "there-is-none"})
    assert refused_fields(answer) == {f"labels.{CLUSTER}"}


def test_a_set_or_machine_of_another_cluster_is_refused_by_both_labels(post: Callable[..., Any], member: str) -> None:
    assert refused_fields(post({CLUSTER: OTHER, SET: OURS})) == {
        f"labels.{CLUSTER}",
        f"labels.{SET}",
    }
    assert refused_fields(post({CLUSTER: OTHER, MEMBER: member})) == {f"labels.{CLUSTER}", f"labels.{MEMBER}"}
    assert refused_fields(post({SET: f"{OTHER}-workers", MEMBER: member})) >= {f"labels.{MEMBER}"}


def test_a_set_and_a_machine_that_are_yet_to_come_may_be_named_beside_the_cluster(
    post: Callable[..., Any], member: str
) -> None:
    answer = post({CLUSTER: MINE, SET: f"{MINE}-workers-later"})
    assert answer.status_code == 201, answer.text


def test_a_patch_by_second_names_gets_the_cluster_too(api: Caller, omni: OmniClient, member: str) -> None:
    id = f"500-{uuid4().hex[:8]}"
    made = api.post("configpatches", json={"id": id, "data": DATA, "machine": member})
    held = omni.resources.get("ConfigPatches.omni.sidero.dev", id)["metadata"]["labels"]
    api.delete(f"configpatches/{id}")
    assert (made.status_code, made.json["cluster"]) == (201, MINE)
    assert held == {CLUSTER: MINE, MEMBER: member}


def test_apply_completes_a_target_and_leaves_it_unchanged_the_next_time(api: Caller, member: str) -> None:
    id = f"500-{uuid4().hex[:8]}"
    metadata = {"type": "ConfigPatches.omni.sidero.dev", "id": id, "labels": {SET: OURS}}
    document = {"metadata": metadata, "spec": {"data": DATA}}
    first, again = api.post("apply", json=document).json, api.post("apply", json=document).json
    labels = api.get(f"configpatches/{id}").json["labels"]
    api.delete(f"configpatches/{id}")
    assert (first["counts"], again["counts"]) == ({"created": 1}, {"unchanged": 1})
    assert labels == {CLUSTER: MINE, SET: OURS}


def test_a_target_is_checked_when_it_changes_and_let_be_when_it_does_not(
    api: Caller, omni: OmniClient, member: str
) -> None:
    id = f"500-{uuid4().hex[:8]}"
    omni.resources.create("ConfigPatches.omni.sidero.dev", id, {"data": DATA}, labels={SET: OURS})
    assert api.patch(f"configpatches/{id}", json={"annotations": {"a": "b"}}).json["labels"] == {SET: OURS}
    turned = api.patch(f"configpatches/{id}", json={"labels": {CLUSTER: OTHER}})
    completed = api.patch(f"configpatches/{id}", json={"labels": {MEMBER: member}})
    api.delete(f"configpatches/{id}")
    assert refused_fields(turned) == {f"labels.{CLUSTER}", f"labels.{SET}"}
    assert completed.json["labels"][CLUSTER] == MINE


def test_extensions_of_a_cluster_that_is_not_there_are_refused(api: Caller) -> None:
    body = body_of("extensions-configurations", f"500-{uuid4().hex[:8]}", {CLUSTER: "there-is-none"})
    assert refused_fields(api.post("extensions-configurations", json=body)) == {f"labels.{CLUSTER}"}
