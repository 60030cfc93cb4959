"""The document: valid, complete, stable names."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from openapi_spec_validator import validate

from omni_gateway.app import create_app
from omni_gateway.settings import Settings

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
        if "Idempotency-Key" in {parameter.get("name") for parameter in item.get("post", {}).get("parameters", [])}
    }
    assert len(posts) > 40
    assert [rule.rule for rule in posts if rule.rule not in documented] == []


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
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
        and not any("schema" in media for media in response.get("content", {}).values())
    ]
    assert without == []


def test_every_json_answer_has_a_schema(document: dict[str, Any]) -> None:
    without = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if "$ref" not in response
        for media in response.get("content", {}).values()
        if "schema" not in media
    ]
    assert without == []


def test_problems_are_documented_as_problem_documents(document: dict[str, Any]) -> None:
    other = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, response in operation["responses"].items()
        if status[0] in "45"
        and "$ref" not in response
        and set(response.get("content", {})) != {"application/problem+json"}
    ]
    assert other == []


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
    missing = {
        operation["operationId"]: wanted - {parameter.get("name") for parameter in operation["parameters"]}
        for operation in lists
    }
    assert {name: names for name, names in missing.items() if names} == {"list_operations": {"label_selector"}}


def test_every_write_documents_dry_runs_and_preconditions(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        method, _, path = name.partition(" ")
        names = {parameter.get("name") for parameter in operation.get("parameters", ())}
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
        for name, link in response.get("links", {}).items()
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
    def schemas() -> int:
        gc.collect()
        return sum(isinstance(item, ma.Schema) for item in gc.get_objects())

    before = schemas()
    app = create_app(settings)  # plugins are loaded already: what is counted is one application's own
    assert app.test_client().get("/livez").status_code == 200
    assert schemas() - before < 200
