"""The texts of the document: every property, parameter, operation and tag has one that adds to its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.document import Schemas

METHODS = ("get", "post", "put", "patch", "delete")
ROLE = re.compile(r"Role: \w+\.")


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method in METHODS)


def properties(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            yield f"{name}.{member}", member, described


def parameters(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for holder in (item, *(item[method] for method in METHODS if method in item)):
            for parameter in holder.get("parameters", ()):
                if "$ref" in parameter:
                    parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
                yield f"{path} {parameter['name']}", parameter["name"], parameter


def words(text: str) -> set[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return {word.removesuffix("s") for word in found} - {"the", "a", "an", "of", "it", "thi"}


def adds_to(name: str, text: str) -> bool:
    return bool(words(text) - words(name))


def test_every_property_has_a_description_that_adds_to_its_name(document: dict[str, Any]) -> None:
    found = list(properties(document))
    assert len(found) > 1000
    assert [full for full, name, schema in found if not adds_to(name, schema.get("description", ""))] == []


def test_every_parameter_has_a_description_that_adds_to_its_name(document: dict[str, Any]) -> None:
    found = list(parameters(document))
    assert len(found) > 500
    assert [full for full, name, item in found if not adds_to(name, item.get("description", ""))] == []


def test_every_operation_has_a_description_besides_its_role_and_summary(document: dict[str, Any]) -> None:
    bare = [
        operation["operationId"]
        for operation in operations(document)
        if not adds_to(operation["summary"], ROLE.sub("", operation.get("description", "")))
    ]
    assert bare == []


def test_every_tag_is_described_in_sentences(document: dict[str, Any]) -> None:
    texts = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    assert {tag for operation in operations(document) for tag in operation["tags"]} == set(texts)
    assert [name for name, text in texts.items() if not adds_to(name, text) or not text.endswith(".")] == []


def test_the_examples_of_properties_fit_their_schemas(document: dict[str, Any]) -> None:
    examples = [(full, schema) for full, _, schema in properties(document) if "example" in schema]
    assert len(examples) > 300
    schemas = Schemas(document)
    wrong = {full: schemas.errors(schema, schema["example"]) for full, schema in examples}
    assert {full: errors for full, errors in wrong.items() if errors} == {}


def test_writes_name_what_happens_next(document: dict[str, Any]) -> None:
    texts = {operation["operationId"]: operation["description"] for operation in operations(document)}
    assert "`talos-upgrade`" in texts["patch_cluster"]
    assert "`cluster-create`" in texts["create_cluster"]
    assert "`cluster-destroy`" in texts["delete_cluster"]
    assert "resets their machines" in texts["delete_cluster"]
    assert "`cluster`, `machineset`, `machine`, `label_selector`" in texts["list_configpatches"]
    assert "Sorted by `kubernetes_version`, `talos_version`, `id`" in texts["list_clusters"]
    assert "`configpatches?cluster={id}`" in texts["get_cluster_configpatches"]
