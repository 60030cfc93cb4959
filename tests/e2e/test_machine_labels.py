"""PATCH of a machine's labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, problem
from tests.e2e.machine_steps import MACHINE_LABELS, NO_MACHINE, annotations_of, user_labels

ARCH = "omni.sidero.dev/arch"
ADDRESS = "omni.sidero.dev/address"


@pytest.fixture
def machine(api: httpx.Client, free_machines: Machines, omni: OmniClient) -> Iterator[str]:
    """A free machine; what a test labels it with is taken off again."""
    id = free_machines(1)[0]
    before = user_labels(omni, id)
    yield id
    left = {key: before.get(key) for key in {*before, *user_labels(omni, id)}}
    assert api.patch(f"machines/{id}", json={"labels": left}).status_code == 200


def test_labels_are_added_to_those_that_are_there_and_shown_at_once(
    api: httpx.Client, machine: str, omni: OmniClient
) -> None:
    before = api.get(f"machines/{machine}").json()["labels"]
    answer = api.patch(f"machines/{machine}", json={"labels": {"rack": "r1", "example.com/owner": "me"}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["labels"] == {**before, "rack": "r1", "example.com/owner": "me"}
    assert user_labels(omni, machine) == {"rack": "r1", "example.com/owner": "me"}


def test_only_the_users_own_labels_are_written_to_their_object(
    api: httpx.Client, machine: str, omni: OmniClient
) -> None:
    kept = annotations_of(omni, MACHINE_LABELS, machine)
    api.patch(f"machines/{machine}", json={"labels": {"rack": "r1"}})
    assert [key for key in user_labels(omni, machine) if key.startswith("omni.sidero.dev/")] == []
    assert annotations_of(omni, MACHINE_LABELS, machine) == kept


def test_a_label_is_changed_and_removed(api: httpx.Client, machine: str, omni: OmniClient) -> None:
    url = f"machines/{machine}"
    api.patch(url, json={"labels": {"rack": "r1", "row": "7"}})
    assert api.patch(url, json={"labels": {"rack": "r2"}}).json()["labels"]["rack"] == "r2"
    labels = api.patch(url, json={"labels": {"rack": None}}).json()["labels"]
    assert "rack" not in labels and labels["row"] == "7"
    assert user_labels(omni, machine) == {"row": "7"}


def test_null_removes_all_labels_of_the_users_and_none_of_omni_s(
    api: httpx.Client, machine: str, omni: OmniClient
) -> None:
    url = f"machines/{machine}"
    before = api.get(url).json()["labels"]
    api.patch(url, json={"labels": {"rack": "r1", "row": "7"}})
    assert api.patch(url, json={"labels": None}).json()["labels"] == before
    assert user_labels(omni, machine) == {}


def test_labels_select_machines_and_are_below_them(api: httpx.Client, machine: str) -> None:
    api.patch(f"machines/{machine}", json={"labels": {"e2e-label": machine}})
    found = api.get("machines", params={"label_selector": f"e2e-label={machine}"}).json()
    assert [item["id"] for item in found] == [machine]
    assert api.get(f"machines/{machine}/labels").json()["labels"] == {"e2e-label": machine}


def test_a_document_that_was_read_can_be_sent_back_and_changes_nothing(
    api: httpx.Client, machine: str, omni: OmniClient
) -> None:
    read = api.get(f"machines/{machine}").json()
    before = omni.resources.get(MACHINE_LABELS, machine)["metadata"]["version"]
    read.pop("maintenance")
    answer = api.patch(f"machines/{machine}", json=read)
    assert answer.status_code == 200, answer.text
    assert omni.resources.get(MACHINE_LABELS, machine)["metadata"]["version"] == before


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a label of Omni's is set", {"labels": {"omni.sidero.dev/mine": "x"}}, "labels.omni.sidero.dev/mine"),
    ("a label of Omni's is changed", {"labels": {ARCH: "vax"}}, f"labels.{ARCH}"),
    ("a label of Omni's is removed", {"labels": {ARCH: None}}, f"labels.{ARCH}"),
    ("the address is changed", {"labels": {ADDRESS: "::1"}}, f"labels.{ADDRESS}"),
    ("a label is no text", {"labels": {"rack": 7}}, "labels.rack"),
    ("labels are a list", {"labels": ["rack"]}, "labels"),
    ("annotations are set", {"annotations": {"note": "x"}}, "annotations"),
    ("a field is unknown", {"lables": {"rack": "r1"}}, "lables"),
    ("the id is another", {"id": NO_MACHINE}, "id"),
    ("extensions are no list", {"extensions": "tailscale"}, "extensions"),
]


@pytest.mark.parametrize(("body", "field"), [item[1:] for item in REFUSED], ids=[item[0] for item in REFUSED])
def test_it_is_refused_that(
    api: httpx.Client, machine: str, omni: OmniClient, body: dict[str, Any], field: str
) -> None:
    labels = {**(body["labels"] if isinstance(body.get("labels"), dict) else {}), "row": "7"}
    whole = {**body, "labels": labels} if isinstance(body.get("labels", {}), dict) else body
    answer = api.patch(f"machines/{machine}", json=whole)
    assert field in problem(answer, 422, "validation")["errors"]
    assert user_labels(omni, machine) == {}


def test_a_dry_run_shows_the_change_and_makes_none(api: httpx.Client, machine: str, omni: OmniClient) -> None:
    answer = api.patch(f"machines/{machine}?dry_run=true", json={"labels": {"rack": "r1"}})
    document = answer.json()
    assert document["labels"]["rack"] == "r1"
    assert document["_dry_run"]["diff"] == [{"op": "add", "path": "/labels/rack", "value": "r1"}]
    assert user_labels(omni, machine) == {}


def test_a_machine_that_does_not_exist_cannot_be_labelled(api: httpx.Client, omni: OmniClient) -> None:
    problem(api.patch(f"machines/{NO_MACHINE}", json={"labels": {"rack": "r1"}}), 404, "not-found")
    assert user_labels(omni, NO_MACHINE) == {}
