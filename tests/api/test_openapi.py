"""The document: valid, complete, stable names."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.http.openapi.tags import GROUPS, OTHER, Tag, arrange
from omni_gateway.settings import Settings
from omni_gateway.testing.document import Document, resolved
from tests.document import Schemas, parameters

from .conftest import Caller
from .streams import lines, server_sent_events

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    return dict(json.loads(answer.data))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method.upper()} {path}", operation


def test_every_post_takes_an_idempotency_key_and_says_so(app: Flask, document: dict[str, Any]) -> None:
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    documented = {
        path.replace("{", "<").replace("}", ">")
        for path, item in document["paths"].items()
        if "Idempotency-Key" in parameters(document, item.get("post", {}))
    }
    assert len(posts) > 40
    assert [rule.rule for rule in posts if rule.rule not in documented] == []


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    from openapi_spec_validator import validate  # a second of computing: for the workers that run such a test only

    validate(document)


def test_every_operation_has_a_summary_a_tag_an_answer_and_problems(document: dict[str, Any]) -> None:
    incomplete = {}
    for name, operation in operations(document):
        good = [response for status, response in operation["responses"].items() if status.startswith("2")]
        bad = [status for status in operation["responses"] if status[0] in "45"]
        missing = [key for key in ("summary", "tags", "operationId") if not operation.get(key)]
        if not good:
            missing.append("answer")
        if not {"401", "403"} <= set(bad):
            missing.append("problems")
        if missing:
            incomplete[name] = missing
    assert incomplete == {}


def test_summaries_name_objects_in_words(document: dict[str, Any]) -> None:
    summaries = {name: operation["summary"] for name, operation in operations(document)}
    assert summaries["POST /api/v1/oidc/providers"] == "Create an OIDC provider"
    assert summaries["GET /api/v1/auth/access-policy"] == "Read the access policy"
    collections = {path.split("/", 3)[3] for path in document["paths"] if path.count("/") > 2 and "{" not in path}
    unreadable = {name for name in collections if "-" in name or "/" in name}
    assert len(unreadable) > 20
    faults = [
        f"{name}: {summary}"
        for name, summary in summaries.items()
        if re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeioAEIO]", summary)
        or any(f" {path.removesuffix('s')}" in summary for path in unreadable)
        or not summary[0].isupper()
        or summary.endswith(".")
    ]
    assert faults == []


def test_every_good_answer_but_204_has_a_body_with_a_schema(document: dict[str, Any]) -> None:
    without = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if status.startswith("2")
        and status != "204"
        and not any("schema" in media for media in resolved(document, response).get("content", {}).values())
    ]
    assert without == []


def test_every_json_answer_has_a_schema(document: dict[str, Any]) -> None:
    without = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        for media in resolved(document, response).get("content", {}).values()
        if "schema" not in media
    ]
    assert without == []


def test_problems_are_documented_as_problem_documents(document: dict[str, Any]) -> None:
    other = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if status[0] in "45" and set(resolved(document, response)["content"]) != {"application/problem+json"}
    ]
    assert other == []


def test_a_problem_is_described_once_for_all_operations(document: dict[str, Any]) -> None:
    inline = {
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if status[0] in "45" and "$ref" not in response
    }
    assert inline == {"POST /api/v1/apply 422"}  # it has members of its own
    codes = {
        code
        for response in document["components"]["responses"].values()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert {"exists", "tearing-down", "validation", "omni-unreachable"} <= codes


def test_every_component_is_used(document: dict[str, Any]) -> None:
    used = set(re.findall(r'"#/components/([^"]+)"', json.dumps(document)))
    components = {f"{section}/{name}" for section, items in document["components"].items() for name in items}
    assert components - used == {"securitySchemes/bearer"}  # named by `security`


def test_tags_and_paths_are_in_the_order_of_their_groups(document: dict[str, Any]) -> None:
    tags = [tag["name"] for tag in document["tags"]]
    groups = {group["name"]: group["tags"] for group in document["x-tagGroups"]}
    assert [*groups][:2] == ["Clusters", "Machines"]
    assert [group for group in groups if group not in GROUPS or group == OTHER] == []
    assert [name for names in groups.values() for name in names] == tags
    assert groups["Clusters"][0] == "clusters"
    assert [tag for tag in document["tags"] if not tag["description"] or not tag["x-displayName"]] == []
    of_paths = [operation["tags"] for _, operation in operations(document)]
    assert all(len(names) == 1 for names in of_paths)
    positions = [tags.index(name) for (name,) in of_paths]
    assert positions == sorted(positions)
    paths = [*document["paths"]]
    in_order = (
        "/api/v1/clusters",
        "/api/v1/clusters/{id}",
        "/api/v1/clusters/{id}/actions/destroy",
        "/api/v1/machines",
    )
    assert [*in_order] == sorted(in_order, key=paths.index)


def test_a_resource_of_a_third_party_stands_before_the_gateways_own() -> None:
    tags = {"index": Tag("This gateway"), "things": Tag(), "racks": Tag("Acme"), "clusters": Tag("Clusters")}
    item = {"get": {"tags": ["index"]}}
    document: dict[str, Any] = {"tags": [{"name": name} for name in tags], "paths": {"/": item}}
    arrange(document, tags)
    assert [group["name"] for group in document["x-tagGroups"]] == ["Clusters", "Acme", OTHER, "This gateway"]


def test_the_document_says_where_a_credential_comes_from(document: dict[str, Any]) -> None:
    (scheme,) = document["security"]
    text = document["components"]["securitySchemes"][next(iter(scheme))]["description"]
    ways = ("OMNI_GATEWAY_BOOTSTRAP_TOKEN", "/api/v1/auth/tokens", "/api/v1/oidc/providers", "OMNI_SERVICE_ACCOUNT_KEY")
    assert [way for way in ways if way not in text] == []
    assert document["info"].keys() >= {"title", "version", "description", "contact", "license"}


@pytest.mark.parametrize(("media", "read"), [(STREAMS[0], server_sent_events), (STREAMS[1], lines)])
def test_the_events_of_a_watch_are_as_documented(
    api: Caller, document: dict[str, Any], media: str, read: Callable[[str], list[dict[str, Any]]]
) -> None:
    answer: Any = api.get("machineclasses", headers={"Accept": media}, buffered=False)
    assert api.post("machineclasses", json={"id": "watched", "match_labels": ["a = b"]}).status_code == 201
    assert api.patch("machineclasses/watched", json={"labels": {"c": "d"}}).status_code == 200
    assert api.delete("machineclasses/watched").status_code in (202, 204)
    text = ""
    for piece in answer.response:
        text += piece.decode()
        if "DELETED" in text:
            break
    answer.close()
    events = read(text)
    assert {"BOOKMARK", "ADDED", "MODIFIED", "DELETED"} <= {event["type"] for event in events}
    Document(document).check_events("/api/v1/machineclasses", events, media)


def test_every_parameter_is_described_and_those_of_paths_have_an_example(document: dict[str, Any]) -> None:
    of_paths = [
        (path, parameter) for path, item in document["paths"].items() for parameter in item.get("parameters", ())
    ]
    of_operations = [
        (name, parameter)
        for name, operation in operations(document)
        for parameter in parameters(document, operation).values()
    ]
    silent = [(where, each["name"]) for where, each in (*of_paths, *of_operations) if not each.get("description")]
    assert (silent, len(of_operations) > 500) == ([], True)
    assert [path for path, parameter in of_paths if not parameter.get("example")] == []


def test_every_successful_answer_in_json_has_an_example_of_its_schema(document: dict[str, Any]) -> None:
    answers = [
        (f"{name} {status}", resolved(document, response)["content"]["application/json"])
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if status[0] == "2" and "application/json" in resolved(document, response).get("content", {})
    ]
    schemas = Schemas(document)
    wrong = {}
    for name, media in answers:
        (example,) = media.get("examples", {}).values() or [{"value": media.get("example")}]
        errors = schemas.errors(media["schema"], resolved(document, example)["value"])
        if errors or resolved(document, example)["value"] is None:
            wrong[name] = errors
    assert (wrong, len(answers) > 200) == ({}, True)


def test_operation_ids_are_unique_and_fit_for_method_names(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert [id for id in ids if not id.isidentifier()] == []


def test_every_write_with_a_body_shows_an_example(document: dict[str, Any]) -> None:
    without = [
        name
        for name, operation in operations(document)
        for media in operation.get("requestBody", {}).get("content", {}).values()
        if "example" not in media and "examples" not in media
    ]
    assert without == []


def test_every_operation_names_the_role_it_needs(document: dict[str, Any]) -> None:
    silent = [name for name, operation in operations(document) if operation.get("x-required-role") is None]
    assert silent == []


def test_every_list_documents_how_it_is_paged_filtered_and_sorted(document: dict[str, Any]) -> None:
    wanted = {"page", "page_size", "label_selector", "search", "sort", "fields", "If-None-Match"}
    lists = [item["get"] for item in document["paths"].values() if "X-Pagination" in str(item.get("get", {}))]
    assert len(lists) > 30
    missing = {operation["operationId"]: wanted - parameters(document, operation).keys() for operation in lists}
    assert {name: names for name, names in missing.items() if names} == {"list_operations": {"label_selector"}}


def test_every_write_documents_dry_runs_and_preconditions(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        method, _, path = name.partition(" ")
        names = parameters(document, operation)
        if method != "GET":
            assert "dry_run" in names, name
        if method in ("PUT", "PATCH", "DELETE") and not path.startswith("/api/v1/resources"):
            assert "If-Match" in names, name


def test_links_lead_from_answers_to_operations_that_are_there(document: dict[str, Any]) -> None:
    known = {operation["operationId"]: operation for _, operation in operations(document)}
    linked = {
        (operation["operationId"], name): link
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for name, link in resolved(document, response).get("links", {}).items()
    }
    assert linked["create_configpatch", "get"]["operationId"] == "get_configpatch"
    assert linked["get_cluster", "status"]["operationId"] == "get_cluster_status"
    assert linked["destroy_cluster", "operation"]["operationId"] == "get_operation"
    for link in linked.values():
        path = next(
            name for name in document["paths"] if known[link["operationId"]] in document["paths"][name].values()
        )
        assert all(f"{{{name}}}" in path for name in link["parameters"])


def test_an_application_makes_no_schema_for_each_answer_that_it_documents(settings: Settings) -> None:
    gc.collect()
    gc.freeze()  # what is there already is not counted
    try:
        app = create_app(settings)  # plugins are loaded already: what is counted is one application's own
        gc.collect()
        made = sum(isinstance(item, ma.Schema) for item in gc.get_objects())
    finally:
        gc.unfreeze()
    assert app.test_client().get("/livez").status_code == 200
    assert 0 < made < 200
