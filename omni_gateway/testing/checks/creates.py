"""Creates: what is stored, what is answered, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem

JSON = {"Content-Type": "application/json"}
#: Labels and annotations that Omni takes from nobody.
IMPOSSIBLE: Mapping[str, Any] = {
    "too many": {f"k{number}": "v" for number in range(257)},
    "a key of 1025 bytes": {"k" * 1025: ""},
    "a key of 1026 bytes": {"é" * 513: ""},
    "a value of 16385 bytes": {"k": "v" * 16385},
    "a value of 16386 bytes": {"k": "é" * 8193},
    "an empty key": {"": "v"},
    "a line break": {"k": "a\nb"},
    "a number": {"k": 1},
    "a list": ["k"],
}


class CreateChecks:
    """Promises of ``POST /<collection>``."""

    @needs("create", "get", "immediate")
    def test_a_create_answers_201_with_the_url_of_the_object(self, subject: Subject) -> None:
        made = subject.make()
        assert made.response.status_code in (200, 201)
        assert subject.admin.get(f"{subject.gateway.url}{made.response.headers['Location']}").json()["id"] == made.id

    @needs("create", "get", "immediate")
    def test_a_create_answers_with_the_object_that_is_read_afterwards(self, subject: Subject) -> None:
        made = subject.make()
        read = subject.read(made.url)
        ignored = {"metadata", "_links", *subject.plugin.schema.returned_once}
        assert _without(made.response.json(), ignored) == _without(read, ignored)

    @needs("create", "get", "immediate")
    def test_a_create_answers_with_the_times_that_are_read_afterwards(self, subject: Subject) -> None:
        made = subject.make()
        created = subject.read(made.url)["metadata"]["created"]
        assert made.response.json()["metadata"]["created"] == created

    @needs("create", "get")
    def test_an_object_is_read_as_it_was_sent(self, subject: Subject) -> None:
        made = subject.existing
        read = subject.read(made.url)
        hidden = subject.not_read_back
        sent = {name: value for name, value in made.body.items() if name not in hidden}
        different = {name: read.get(name) for name, value in sent.items() if not _contains(read.get(name), value)}
        assert different == {}

    @needs("create", "own id")
    def test_a_second_object_of_an_id_is_refused(self, subject: Subject) -> None:
        made = subject.make()
        before = subject.read(made.url)
        refused = subject.admin.post(subject.collection, json={**made.body, "labels": {"kit-second": "yes"}})
        problem(refused, 409, "exists")
        assert subject.read(made.url) == before

    @needs("create", "required id")
    def test_a_body_without_an_id_is_refused(self, subject: Subject) -> None:
        body = {name: value for name, value in subject.body().items() if name != "id"}
        assert "id" in problem(subject.admin.post(subject.collection, json=body), 422, "validation")["errors"]

    @needs("create", "own id")
    def test_a_body_with_an_impossible_id_is_refused(self, subject: Subject) -> None:
        for id in ("", "a\nb", "x" * 1025, "é" * 513, 5):
            refused = subject.admin.post(subject.collection, json={**subject.body(), "id": id})
            assert "id" in problem(refused, 422, "validation")["errors"], id

    @needs("create")
    def test_a_body_with_impossible_labels_is_refused(self, subject: Subject) -> None:
        for kind, pairs in IMPOSSIBLE.items():
            body = {**subject.body(), "labels": pairs, "annotations": pairs}
            _refused_by_label(subject.admin.post(subject.collection, json=body), kind)

    @needs("replace")
    def test_a_replace_with_impossible_labels_is_refused(self, subject: Subject) -> None:
        pairs = IMPOSSIBLE["a line break"]
        body = {**subject.replacement(subject.changing), "labels": pairs, "annotations": pairs}
        _refused_by_label(subject.admin.put(subject.changing.url, json=body), "a line break")

    def test_an_unknown_field_of_a_body_is_refused_by_name(self, subject: Subject, write_with_body: str) -> None:
        made = subject.changing if write_with_body != "create" else None
        body = {**subject.usual_body(write_with_body, made), "no_such_field": 1}
        response = subject.send(write_with_body, made, body=body)
        assert "no_such_field" in problem(response, 422, "validation")["errors"]

    def test_an_unknown_parameter_of_a_write_is_refused(self, subject: Subject, write: str) -> None:
        made = subject.changing if write != "create" else None
        response = subject.send(write, made, params={"no_such_parameter": "1"})
        assert "no_such_parameter" in json.dumps(problem(response, 422, "unknown-parameter"))

    def test_a_body_that_is_no_json_is_refused(self, subject: Subject, write_with_body: str) -> None:
        for content in (b"{", b"", b'{"id": "a", "id": "b"}'):
            problem(subject.send_content(write_with_body, content, JSON), 400, "bad-json")

    def test_a_body_of_another_media_type_is_refused(self, subject: Subject, write_with_body: str) -> None:
        response = subject.send_content(write_with_body, b"<a/>", {"Content-Type": "text/xml"})
        problem(response, 415, "unsupported-media-type")

    def test_a_body_that_is_no_object_is_refused(self, subject: Subject, write_with_body: str) -> None:
        problem(subject.send_content(write_with_body, b"[1]", JSON), 422, "validation")

    @needs("create")
    def test_a_value_of_another_type_is_refused_by_name(self, subject: Subject) -> None:
        body = subject.body()
        name = next(name for name in (*(each for each in body if each != "id"), "labels"))
        refused = subject.admin.post(subject.collection, json={**body, name: {"no such": [{"thing": 1}]}})
        assert any(field.startswith(name) for field in problem(refused, 422, "validation")["errors"])

    @needs("create")
    def test_a_refused_create_makes_nothing(self, subject: Subject) -> None:
        body = {**subject.body(), "no_such_field": 1}
        before = {item["id"] for item in subject.everything()}
        subject.admin.post(subject.collection, json=body)
        assert {item["id"] for item in subject.everything()} == before

    @needs("create", "replace", "put creates", "immediate", "many")
    def test_a_put_with_if_none_match_creates_a_missing_object(self, subject: Subject) -> None:
        body = subject.body()
        response = subject.admin.put(subject.url_of(body["id"]), json=body, headers={"If-None-Match": "*"})
        assert (response.status_code, response.json()["id"]) == (201, body["id"])

    @needs("create", "replace", "put creates", "many")
    def test_a_put_without_if_none_match_creates_nothing(self, subject: Subject) -> None:
        body = subject.body()
        problem(subject.admin.put(subject.url_of(body["id"]), json=body), 404, "not-found")
        assert subject.admin.get(subject.url_of(body["id"])).status_code == 404


def _refused_by_label(response: httpx.Response, kind: str) -> None:
    errors = problem(response, 422, "validation")["errors"]
    named = {member for member in ("labels", "annotations") if any(name.startswith(member) for name in errors)}
    assert named == {"labels", "annotations"}, f"{kind}: {errors}"


def _without(document: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: value for name, value in document.items() if name not in names}


def _contains(read: object, sent: object) -> bool:
    """Return whether a value that is read has what was sent; objects may be completed by defaults."""
    if isinstance(sent, dict):
        return isinstance(read, dict) and all(_contains(read.get(name), value) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(read, list) and len(read) == len(sent) and all(map(_contains, read, sent))
    return read == sent
