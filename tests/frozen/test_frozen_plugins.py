"""Plugins that were built against an earlier SDK work with the SDK as it is; see README.md beside this file."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import takewhile
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from tests.api.streams import told

RELEASE = Path(__file__).parent / "sdk-2.0"
API = "/api/v1"
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def api(simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RELEASE))
        patch.setattr(sys, "dont_write_bytecode", True)
        yield create_app(Settings(omni=omni, state_dir=tmp_path_factory.mktemp("frozen"), auth=("off",))).test_client()
        for name in [name for name in sys.modules if name.startswith("frozen_")]:
            del sys.modules[name]


@pytest.fixture
def machine(api: FlaskClient) -> str:
    return str(api.get(f"{API}/frozen-racks").json[0]["id"])


def test_the_packages_are_as_they_were() -> None:
    files = [path for path in RELEASE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    sums = {str(path.relative_to(RELEASE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    lines = [f"{sum}  {path}" for path, sum in sorted(sums.items())]
    assert lines == RELEASE.with_name("sdk-2.0.sha256").read_text().splitlines()


def test_each_package_is_loaded_and_in_the_document(api: FlaskClient) -> None:
    names = [point.name for found in distributions(path=[str(RELEASE)]) for point in found.entry_points]
    paths = api.get("/openapi.json").json["paths"]
    assert len(names) == 4
    assert [name for name in names if f"{API}/{name}" not in paths] == []


def test_an_omni_type_lives_and_its_actions_and_documents_answer(api: FlaskClient, machine: str) -> None:
    url = f"{API}/frozen-tunnels/{machine}"
    assert (
        api.post(f"{API}/frozen-tunnels", json={"id": machine, "enabled": True, "labels": {"frozen": ""}}).status_code
        == 201
    )
    assert api.get(url).json["_links"]["machine"] == f"{API}/machines/{machine}"
    assert api.get(f"{url}/link").json["id"] == machine
    planned = api.post(f"{url}/actions/note?dry_run=true", json={"text": "a firewall"})
    assert planned.json["annotations"] == {"example.org/note": "a firewall"}
    assert (
        api.post(f"{url}/actions/note", json={"text": "a firewall"}).json["annotations"] == planned.json["annotations"]
    )
    assert api.get(f"{url}/summary").json == {"summary": f"{machine}: on"}
    changed = api.patch(url, json={"enabled": False})
    assert (changed.status_code, changed.json["enabled"]) == (200, False)
    selected = "frozen-tunnels?label_selector=frozen&enabled"
    assert api.get(f"{API}/{selected}=true").json == []
    assert [each["id"] for each in api.get(f"{API}/{selected}=false&sort=-enabled").json] == [machine]
    assert watched(api, f"{selected}=true") == []
    assert watched(api, f"{selected}=false") == [machine]
    assert api.delete(url).status_code == 204


def test_objects_in_the_store_have_every_kind_of_field(api: FlaskClient) -> None:
    url = f"{API}/frozen-runbooks/full"
    body = {
        "id": "full",
        "title": "etcd is full",
        "severity": "HIGH",
        "takes": "1h30m",
        "reviewed": "2026-08-21T10:00:00Z",
        "steps": ["defragment", "grow"],
        "contact": {"name": "ann", "pager": "555"},
    }
    made = api.post(f"{API}/frozen-runbooks", json=body)
    assert made.status_code == 201, made.json
    read = {name: made.json[name] for name in ("severity", "takes", "contact", "runs", "log")}
    assert read == {
        "severity": "HIGH",
        "takes": "5400s",
        "contact": {"name": "ann", "pager": "***"},
        "runs": 0,
        "log": "",
    }
    refused = api.patch(url, json={"title": "ETCD"})
    assert (refused.status_code, refused.json["errors"]) == (422, {"title": ["Must not be in capitals."]})
    assert api.post(f"{url}/actions/trial").json["steps"] == 2
    api.patch(url, json={"labels": {"needed": "yes"}})
    kept = api.delete(url)
    assert (kept.status_code, kept.json["code"], kept.json["hint"]) == (409, "conflict", "Take the label away.")
    api.patch(url, json={"labels": {"needed": None, "draft": "yes"}})
    assert api.post(f"{API}/frozen-runbooks/actions/forget?dry_run=true").json["steps"] == 1
    assert api.post(f"{API}/frozen-runbooks/actions/forget").json == {"steps": 1, "by": "drafts"}
    assert api.get(url).status_code == 404


def test_views_of_a_plugins_own_are_guarded_public_and_idempotent(api: FlaskClient) -> None:
    assert api.get(f"{API}/frozen-runbooks/board").text == "all is well"
    assert api.get(f"{API}/frozen-runbooks/badge.svg").mimetype == "image/svg+xml"
    key = {"Idempotency-Key": "frozen-bell"}
    assert api.post(f"{API}/frozen-runbooks/bells", headers=key).json == {"rung": True}
    assert api.post(f"{API}/frozen-runbooks/bells", headers=key).headers["Idempotency-Replayed"] == "true"


def test_joined_objects_are_listed_selected_and_watched(api: FlaskClient, machine: str) -> None:
    slot = api.get(f"{API}/frozen-racks/{machine}").json
    listed = api.get(f"{API}/frozen-racks?rack={slot['rack']}&page_size=1000&sort=hostname").json
    assert machine in [each["id"] for each in listed]
    assert sorted(watched(api, f"frozen-racks?rack={slot['rack']}")) == sorted(each["id"] for each in listed)
    assert watched(api, f"frozen-racks/{machine}") == [machine]
    assert watched(api, f"frozen-racks/{machine}", {"Cache-Control": "no-cache"}) == [machine]
    assert api.get(f"{API}/frozen-racks/{slot['hostname']}").headers["Content-Location"].endswith(machine)
    assert api.get(f"{API}/frozen-racks/{machine}/patches").json == []


def test_an_action_begins_an_operation_that_can_be_read(api: FlaskClient, machine: str) -> None:
    url = f"{API}/frozen-racks/{machine}/actions/blink"
    assert api.post(f"{url}?dry_run=true", json={"times": 3}).json["state"] == "planned"
    begun = api.post(url, json={"times": 3})
    assert (begun.status_code, begun.json["state"]) == (202, "running")
    read = api.get(begun.headers["Operation-Location"]).json
    assert (read["state"], read["progress"]) == ("succeeded", "blinks 3 times")
    assert [stage["state"] for stage in read["stages"]] == ["succeeded", "succeeded"]


def test_a_service_answers_with_a_document_a_file_and_a_stream(api: FlaskClient, machine: str) -> None:
    counts = api.get(f"{API}/frozen-report").json
    assert counts["links"] >= 1
    missing = api.get(f"{API}/frozen-report?least=100000")
    assert (missing.status_code, missing.json["code"]) == (404, "not-found")
    file = api.get(f"{API}/frozen-report/text")
    assert machine in file.text.splitlines()
    assert "links.txt" in file.headers["Content-Disposition"]
    assert api.get(f"{API}/frozen-report/stream").text.splitlines() == file.text.splitlines()


def watched(api: FlaskClient, path: str, headers: dict[str, str] | None = None) -> list[str]:
    """Return the ids of the objects that a watch shows at its start."""
    answer = api.get(f"{API}/{path}", headers={**NDJSON, **(headers or {})}, buffered=False)
    events = list(takewhile(lambda event: event["type"] != "BOOKMARK", told(answer)))
    answer.close()
    return [event["object"]["id"] for event in events]
