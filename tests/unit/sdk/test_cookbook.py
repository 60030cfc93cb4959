"""The Python blocks of docs/plugins/cookbook.md, each a module by itself, do what their headings ask for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store

PAGE = Path(__file__).parents[3] / "docs" / "plugins" / "cookbook.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
API = "/api/v1"


def plugins() -> list[ServicePlugin]:
    """Run each block in a namespace of its own; a traceback names the page and the line in it."""
    text = PAGE.read_text()
    found = []
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        names: dict[str, Any] = {"__name__": "cookbook"}
        exec(compile("\n" * lines_before + block[1], str(PAGE), "exec", dont_inherit=True), names)
        found.append(names["plugin"])
    return found


@pytest.fixture(scope="module")
def settings(simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("cookbook")
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    environ = {"OMNI_GATEWAY_COOK_ASSETS_FILE": str(folder / "assets.sqlite")}
    return Settings(omni=omni, state_dir=folder, environ=environ)


@pytest.fixture(scope="module")
def api(settings: Settings) -> FlaskClient:
    """An admin's client of a gateway with all recipes."""
    _, token = Store(settings.database_url).tokens.create("cook", "admin", None)
    with pytest.MonkeyPatch.context() as patch:
        found = [Found(plugin.name, "cookbook", "cookbook", "1.0", "loaded", plugin) for plugin in plugins()]
        patch.setattr("omni_gateway.app.discover", lambda **_: found)
        client = create_app(settings).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.fixture
def held(settings: Settings) -> dict[str, str]:
    """The header of an operator of the clusters prod-*."""
    _, token = Store(settings.database_url).tokens.create("held", "operator", None, ["prod-*"])
    return {"Authorization": f"Bearer {token}"}


def test_every_python_block_is_a_recipe_of_its_own() -> None:
    text = PAGE.read_text()
    assert len(BLOCK.findall(text)) == len(re.findall(r"```(python|py)\b", text)) >= 14


def test_fields_of_a_type_are_read_under_names_of_ones_own(api: FlaskClient) -> None:
    [link, *_] = api.get(f"{API}/cook-links").json
    raw = api.get(f"{API}/cook-links/{link['id']}").json
    assert link["address"] == raw["address"] != ""
    assert link["node_public_key"] != ""


def test_every_kind_of_field_is_written_and_read(api: FlaskClient) -> None:
    body = {
        "id": "r1",
        "title": "by the door",
        "state": "TAKEN",
        "checked_every": "1h30m",
        "installed": "2026-08-21T10:00:00Z",
        "place": {"room": "cellar", "height": 42},
        "tags": ["old"],
        "ports": {"front": 4},
    }
    made = api.post(f"{API}/cook-racks", json=body)
    assert made.status_code == 201, made.json
    assert {name: made.json[name] for name in body} == {**body, "checked_every": "5400s"}
    refused = api.patch(f"{API}/cook-racks/r1", json={"place": {"room": "x", "colour": "red"}})
    assert list(refused.json["errors"]) == ["place.colour"]


def test_a_field_that_omni_does_not_have_is_shown(api: FlaskClient) -> None:
    [version, *_] = api.get(f"{API}/cook-versions").json
    assert version["id"].startswith(f"{version['minor']}.")


def test_select_applies_what_is_left_of_the_query(api: FlaskClient) -> None:
    ids = [city["id"] for city in api.get(f"{API}/cook-cities?warmer_than=5&sort=-degrees").json]
    assert ids == ["lima", "bern"]
    assert [city["id"] for city in api.get(f"{API}/cook-cities?search=os").json] == ["oslo"]
    assert api.get(f"{API}/cook-cities/rome").json["code"] == "not-found"


def test_an_action_calls_omni(api: FlaskClient) -> None:
    offered = [item["spec"] for item in api.get(f"{API}/resources/TalosVersions.omni.sidero.dev?page_size=1000").json]
    talos = next(spec for spec in offered if spec.get("compatible_kubernetes_versions"))
    spec = {"talos_version": talos["version"], "kubernetes_version": talos["compatible_kubernetes_versions"][0]}
    clusters = f"{API}/resources/Clusters.omni.sidero.dev"
    assert api.post(clusters, json={"id": "cookbook", "spec": spec}).status_code == 201
    answers = [
        api.post(f"{API}/cook-owners/actions/own", json={"cluster": "cookbook", "team": team}).json for team in "ab"
    ]
    labels = api.get(f"{clusters}/cookbook").json["labels"]
    missing = api.post(f"{API}/cook-owners/actions/own", json={"cluster": "nowhere", "team": "a"})
    api.delete(f"{clusters}/cookbook")
    assert answers == [{"before": ""}, {"before": "a"}]
    assert labels["team"] == "b"
    assert missing.status_code == 404


def test_a_document_reads_its_caller(api: FlaskClient) -> None:
    assert api.get(f"{API}/cook-caller").json == {"name": "cook", "may_change": True}


def test_refusals_have_their_codes(api: FlaskClient) -> None:
    wrong = api.post(f"{API}/cook-shifts", json={"id": "s1", "begins": 9, "ends": 8})
    assert (wrong.status_code, wrong.json["errors"]) == (422, {"ends": ["Must be after `begins`."]})
    api.post(f"{API}/cook-shifts", json={"id": "s1", "begins": 8, "ends": 9, "labels": {"running": "yes"}})
    for query in ("?dry_run=true", ""):
        refused = api.delete(f"{API}/cook-shifts/s1{query}")
        assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    again = api.post(f"{API}/cook-shifts", json={"id": "s1", "begins": 8, "ends": 9})
    assert (again.status_code, again.json["code"]) == (409, "exists")


def test_a_database_of_ones_own_refuses_the_second_write_of_a_version(api: FlaskClient) -> None:
    made = api.post(f"{API}/cook-assets", json={"id": "a1", "serial": "x", "labels": {"team": "a"}})
    assert made.status_code == 201, made.json
    assert api.patch(f"{API}/cook-assets/a1", json={"serial": "y"}).json["metadata"]["version"] == 2
    stale = api.put(f"{API}/cook-assets/a1", json={"serial": "z"}, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    assert [each["serial"] for each in api.get(f"{API}/cook-assets?label_selector=team%3Da").json] == ["y"]
    assert api.delete(f"{API}/cook-assets/a1").status_code == 204
    assert api.get(f"{API}/cook-assets/a1").status_code == 404


def test_a_service_that_does_not_answer_is_a_problem(api: FlaskClient) -> None:
    answer = api.get(f"{API}/cook-price")
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "back-end-unreachable", True)


def test_long_work_is_an_operation_that_can_be_read(api: FlaskClient) -> None:
    host = api.post(f"{API}/cook-hosts", json={"id": "host-1", "enabled": True}).headers["Location"]
    action = f"{host}/actions/drain"
    assert api.post(f"{action}?dry_run=true").json["state"] == "planned"
    asked = api.post(action)
    assert (asked.status_code, asked.json["state"]) == (202, "running")
    api.patch(host, json={"annotations": {"acme.example/drained": "yes"}})
    ended = api.get(asked.headers["Operation-Location"]).json
    assert (ended["state"], ended["started"]) == ("succeeded", asked.json["started"])


def test_secrets_are_shown_once_or_never(api: FlaskClient) -> None:
    made = api.post(f"{API}/cook-doors", json={"id": "front", "pin": "1234"}).json
    read = api.get(f"{API}/cook-doors/front").json
    assert len(made["key"]) > 40
    assert (read["key"], read["pin"]) == ("", "***")
    assert len(read["key_hash"]) == 64


def test_callers_of_some_clusters_see_and_write_what_belongs_to_these(api: FlaskClient, held: dict[str, str]) -> None:
    for id, cluster in (("mine", "prod-1"), ("theirs", "test-1")):
        api.post(f"{API}/cook-notes", json={"id": id, "cluster": cluster})
    assert [note["id"] for note in api.get(f"{API}/cook-notes", headers=held).json] == ["mine"]
    assert api.get(f"{API}/cook-notes/theirs", headers=held).status_code == 404
    assert api.patch(f"{API}/cook-notes/mine", json={"text": "x"}, headers=held).status_code == 200
    assert api.post(f"{API}/cook-notes", json={"id": "n", "cluster": "test-1"}, headers=held).status_code == 403


def test_the_back_end_chooses_ids_and_gets_what_is_not_kept(api: FlaskClient) -> None:
    made = api.post(f"{API}/cook-tickets", json={"title": "x", "urgent": True})
    assert made.status_code == 201, made.json
    assert made.json["id"].startswith("u-")
    assert "urgent" not in api.get(made.headers["Location"]).json


def test_files_streams_and_views_are_served(api: FlaskClient) -> None:
    assert api.get(f"{API}/cook-files/table").mimetype == "text/csv"
    assert api.get(f"{API}/cook-files/lines").text == "line 0\nline 1\nline 2\n"
    assert api.get(f"{API}/cook-files/hello?name=ann").text == "hello ann"


def test_the_only_object_is_there_before_it_is_written(api: FlaskClient) -> None:
    assert api.get(f"{API}/cook-banner").json["text"] == "welcome"
    for text in ("hello", "bye"):
        assert api.put(f"{API}/cook-banner", json={"text": text}).status_code == 200
    assert api.get(f"{API}/cook-banner").json["text"] == "bye"
