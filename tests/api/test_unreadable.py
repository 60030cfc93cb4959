"""Secrets of a cluster that is to be imported: Omni lets them be made and nobody read them, so they are made blind."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from omni_gateway.omni import types
from tests.simulator.test_rules import BUNDLE

from .conftest import Caller

DATA = yaml.safe_dump(BUNDLE)
URL = "resources/importedclustersecrets"
ACCESS = Path(__file__).parents[1] / "conformance" / "data" / "access.tsv"


@pytest.fixture
def body() -> dict[str, Any]:
    return {"id": f"imported-{uuid4().hex[:8]}", "spec": {"data": DATA}}


def document(body: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"type": "ImportedClusterSecrets", "id": body["id"]}, "spec": body["spec"]}


def test_the_types_that_are_made_blind_are_those_that_omni_lets_be_made_and_not_read() -> None:
    with ACCESS.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = {
        row["type"] for row in rows if row["Admin_list"] == "denied" and row["Admin_create_empty"] in ("ok", "invalid")
    }
    assert found == types.UNREADABLE


def test_they_are_made_and_shown_without_the_secret(api: Caller, body: dict[str, Any]) -> None:
    dry = api.post(f"{URL}?dry_run=true", json=body)
    made = api.post(URL, json=body)
    assert (dry.status_code, made.status_code) == (200, 201), made.text
    assert made.json["spec"] == {"data": "***"}
    again = api.post(URL, json=body)
    assert (again.status_code, again.json["code"]) == (409, "exists")


def test_they_are_still_read_by_nobody(api: Caller, body: dict[str, Any]) -> None:
    api.post(URL, json=body)
    answer = api.get(f"{URL}/{body['id']}")
    assert (answer.status_code, answer.json["code"]) == (403, "omni-forbidden")


def test_what_omni_refuses_of_them_is_refused(api: Caller, body: dict[str, Any]) -> None:
    answer = api.post(URL, json={**body, "spec": {"data": "a: b"}})
    assert (answer.status_code, answer.json["code"]) == (422, "refused-by-omni")


def test_apply_makes_them(api: Caller, body: dict[str, Any]) -> None:
    dry = api.post("apply?dry_run=true", json=document(body)).json
    made = api.post("apply", json=document(body)).json
    assert (dry["counts"], made["counts"]) == ({"created": 1}, {"created": 1})
    assert "bootstraptoken" not in str(dry)
    again = api.post("apply", json=document(body)).json["results"][0]
    assert (again["action"], again["problem"]["code"]) == ("failed", "exists")


def test_an_atomic_apply_takes_them_back(api: Caller, body: dict[str, Any]) -> None:
    # A bucket that cannot be reached: nothing but Omni itself can tell, so the secrets are written by then.
    bucket = {"metadata": {"type": "EtcdBackupS3Configs", "id": body["id"]}, "spec": {"bucket": "nowhere"}}
    answer = api.post("apply?atomic=true", json=[document(body), bucket])
    assert [item["action"] for item in answer.json["results"]] == ["taken-back", "failed"]
    assert api.post(URL, json=body).status_code == 201
