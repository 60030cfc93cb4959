"""Replaces: spec, labels and annotations are those of the body, and nothing else is lost."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


class ReplaceChecks:
    """Promises of ``PUT /<collection>/<id>``."""

    @needs("replace")
    def test_a_replace_is_read_afterwards(self, subject: Subject) -> None:
        made = subject.changing
        body = subject.replacement(made)
        response = subject.admin.put(made.url, json=body)
        assert response.status_code == 200, response.text
        read = subject.read(made.url)
        changed = [name for name in subject.change() if name in body and name not in subject.not_read_back]
        assert {name: read[name] for name in changed} == {name: response.json()[name] for name in changed}
        assert all(subject.shows(read, name, body[name]) for name in changed)

    @needs("replace", "create", "labels")
    def test_a_replace_removes_labels_that_it_does_not_name(self, subject: Subject) -> None:
        made = subject.make(labels=subject.with_labels({"kit-extra": "yes"}))
        body = {**subject.replacement(made), "labels": subject.with_labels({})}
        response = subject.admin.put(made.url, json=body)
        assert response.status_code == 200, response.text
        assert "kit-extra" not in subject.read(made.url)["labels"]

    @needs("replace", "get")
    def test_a_document_that_was_read_can_be_sent_back(self, subject: Subject) -> None:
        made = subject.changing
        document = subject.read(made.url)
        response = subject.admin.put(made.url, json=document)
        assert response.status_code == 200, response.text
        assert _content(response.json()) == _content(document)

    @needs("replace", "get")
    def test_a_replace_by_the_same_document_writes_nothing(self, subject: Subject) -> None:
        made = subject.changing
        first = subject.admin.get(made.url)
        subject.admin.put(made.url, json=first.json())
        assert subject.admin.get(made.url).headers["ETag"] == first.headers["ETag"]

    @needs("replace", "own id")
    def test_a_replace_under_another_id_is_refused(self, subject: Subject) -> None:
        made = subject.changing
        response = subject.admin.put(made.url, json={**subject.replacement(made), "id": "another"})
        assert "id" in problem(response, 422, "validation")["errors"]


def _content(document: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in document.items() if name != "metadata"}
