"""Ids that hurt: other scripts, separators of URLs, very long ones."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject

IDS: Mapping[str, str] = {
    "capitals": "aBC",
    "a slash": "a/b",
    "a space": "a b",
    "a percent sign": "50%41",
    "another script": "naïve-日本",
    "a query": "a?b#c",
    "quotes": "a'b\"c",
    "1024 bytes": "x" * 1024,
    "a semicolon": "a;b:c",
}
#: Ids that no object has, in their encoded form.
NEVER: Mapping[str, str] = {"dots": "%2E%2E", "1025 bytes": "x" * 1025, "a null byte": "a%00b", "a line break": "a%0Ab"}


class IdChecks:
    """An id is an id, or it is refused; it is never a failure."""

    @needs("get", "many")
    def test_a_strange_id_that_is_not_there_is_no_failure(self, subject: Subject) -> None:
        encoded = {kind: quote(id.replace("x", "z"), safe="") for kind, id in IDS.items()} | dict(NEVER)
        statuses = {kind: subject.admin.get(f"{subject.collection}/{id}").status_code for kind, id in encoded.items()}
        assert {kind: status for kind, status in statuses.items() if status not in (404, 422)} == {}

    @needs("many")
    def test_a_strange_id_that_is_not_there_is_404_for_each_verb(self, subject: Subject) -> None:
        for verb in subject.verbs:
            if verb not in ("list", "create"):
                body = None if verb != "replace" else {**subject.replacement(subject.missing), "id": subject.strange.id}
                response = subject.send(verb, subject.strange, body=body)
                # A body may be refused for its id before the object is looked for.
                assert response.status_code == 404 or (body and response.status_code == 422), f"{verb}: {response.text}"

    @needs("create", "own id", "get", "immediate")
    @pytest.mark.parametrize("kind", IDS)
    def test_a_strange_id_lives_like_any_other_or_is_refused(self, subject: Subject, kind: str) -> None:
        id = IDS[kind] if kind == "1024 bytes" else f"{IDS[kind]}-{subject.token}"
        created = subject.admin.post(subject.collection, json={**subject.body(), "id": id})
        if created.status_code not in (200, 201):
            assert created.status_code == 422, created.text[:300]
            return
        read = subject.admin.get(f"{subject.gateway.url}{created.headers['Location']}")
        assert (read.status_code, read.json()["id"]) == (200, id)
        assert read.json()["_links"]["self"] == created.headers["Location"]
