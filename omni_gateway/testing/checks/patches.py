"""Merge patches (RFC 7396): members are set, null removes, arrays are replaced, the rest stays."""

from __future__ import annotations

import json

from omni_gateway.testing.conditions import list_field_of, needs
from omni_gateway.testing.subject import Subject, problem

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


class PatchChecks:
    """Promises of ``PATCH /<collection>/<id>``."""

    @needs("patch")
    def test_a_patch_sets_the_members_that_it_names(self, subject: Subject) -> None:
        made, change = subject.changing, subject.change()
        response = subject.admin.patch(made.url, json=change)
        assert response.status_code == 200, response.text
        read = subject.read(made.url)
        assert all(
            subject.shows(read, name, value) for name, value in change.items() if name not in subject.not_read_back
        )

    @needs("patch", "labels")
    def test_a_patch_keeps_the_members_that_it_does_not_name(self, subject: Subject) -> None:
        made = subject.changing
        before = subject.read(made.url)
        subject.admin.patch(made.url, json={"annotations": {"kit.example/a": "b"}})
        after = subject.read(made.url)
        different = [name for name in before if name not in ("annotations", "metadata") and before[name] != after[name]]
        assert different == []
        assert after["annotations"] == {**before["annotations"], "kit.example/a": "b"}

    @needs("patch", "labels")
    def test_a_patch_merges_labels_and_null_removes_one(self, subject: Subject) -> None:
        made = subject.changing
        subject.admin.patch(made.url, json={"labels": {"kit-a": "1", "kit-b": "2"}})
        response = subject.admin.patch(made.url, json={"labels": {"kit-a": None, "kit-c": "3"}})
        assert response.status_code == 200, response.text
        labels = {name: value for name, value in subject.read(made.url)["labels"].items() if name.startswith("kit-")}
        assert (labels.get("kit-a"), labels.get("kit-b"), labels.get("kit-c")) == (None, "2", "3")

    @needs("patch", "list field")
    def test_a_patch_replaces_an_array(self, subject: Subject) -> None:
        made = subject.changing
        name = list_field_of(type(subject.case))
        values = list(subject.read(made.url)[name])
        shorter = subject.case.merge_patch().get(name, values[:1])
        response = subject.admin.patch(made.url, json={name: shorter})
        assert response.status_code == 200, response.text
        assert subject.read(made.url)[name] == shorter

    @needs("patch")
    def test_an_empty_patch_writes_nothing(self, subject: Subject) -> None:
        made = subject.changing
        tag = subject.admin.get(made.url).headers["ETag"]
        response = subject.admin.patch(made.url, json={})
        assert (response.status_code, response.headers["ETag"]) == (200, tag)

    @needs("patch")
    def test_a_patch_answers_with_the_object_that_is_read_afterwards(self, subject: Subject) -> None:
        made = subject.changing
        response = subject.admin.patch(made.url, json=subject.change())
        assert response.json() == subject.read(made.url)
        assert response.headers["ETag"] == subject.admin.get(made.url).headers["ETag"]

    @needs("patch", "own id")
    def test_a_patch_of_the_id_is_refused(self, subject: Subject) -> None:
        made = subject.changing
        assert "id" in problem(subject.admin.patch(made.url, json={"id": "another"}), 422, "validation")["errors"]

    @needs("patch")
    def test_both_media_types_of_a_patch_are_taken(self, subject: Subject) -> None:
        made = subject.changing
        content = json.dumps(subject.change())
        response = subject.admin.patch(made.url, content=content, headers=MERGE_PATCH)
        assert response.status_code == 200, response.text

    @needs("patch")
    def test_another_format_of_patches_is_refused_with_those_that_are_taken(self, subject: Subject) -> None:
        headers = {"Content-Type": "application/json-patch+json"}
        response = subject.admin.patch(subject.existing.url, content=b"[]", headers=headers)
        problem(response, 415, "unsupported-media-type")
        assert "application/merge-patch+json" in response.headers["Accept-Patch"]
        assert "application/merge-patch+json" in subject.admin.options(subject.existing.url).headers["Accept-Patch"]
