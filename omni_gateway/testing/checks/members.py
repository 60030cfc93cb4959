"""Single members of an object: each change is a change, what is left out is removed, what is misspelt is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


def optional_members(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield the optional members of the example, each with the value that an object without it shows.

    A dry run of a create knows that value. Members without which a create is refused are left out.
    """
    required = {field.data_key or name for name, field in subject.plugin.schema.load_fields.items() if field.required}
    fixed = {*required, *subject.not_read_back, *subject.case.made_by_back_end, *subject.case.not_removable}
    for name in subject.body():
        if name in (*fixed, "id", "labels", "annotations"):
            continue
        body = {key: value for key, value in subject.body().items() if key != name}
        dry = subject.admin.post(subject.collection, json=body, params={"dry_run": "true"})
        if dry.status_code == 200:
            yield name, dry.json().get(name)


class MemberChecks:
    """Promises of each member."""

    @needs("create", "patch", "get", "many")
    def test_a_change_of_one_member_changes_the_tag(self, subject: Subject) -> None:
        made = subject.make()
        for name, value in subject.change().items():
            before = subject.admin.get(made.url)
            response = subject.admin.patch(made.url, json={name: value})
            after = subject.admin.get(made.url)
            if response.status_code == 200 and after.json().get(name) != before.json().get(name):
                assert after.headers["ETag"] != before.headers["ETag"], f"{name} has changed, the ETag has not"

    @needs("replace", "create", "get", "immediate", "many")
    def test_a_replace_removes_a_member_that_it_does_not_name(self, subject: Subject) -> None:
        made = subject.make()
        for name, value in optional_members(subject):
            body = {key: each for key, each in subject.replacement(made).items() if key != name}
            response = subject.admin.put(made.url, json=body)
            assert response.status_code == 200, f"{name}: {response.text}"
            assert subject.read(made.url)[name] == value, f"{name} is still there after a PUT without it"

    @needs("patch", "create", "get", "immediate", "many")
    def test_null_in_a_patch_removes_a_member(self, subject: Subject) -> None:
        for name, value in optional_members(subject):
            made = subject.make()
            response = subject.admin.patch(made.url, json={name: None})
            assert response.status_code == 200, f"{name}: {response.text}"
            assert subject.read(made.url)[name] == value, f"{name} is still there after a PATCH with null"

    @needs("create")
    def test_an_unknown_field_of_a_message_is_refused_by_name(self, subject: Subject) -> None:
        nested = subject.plugin.schema.load_fields
        for name, value in subject.body().items():
            if isinstance(value, dict) and hasattr(nested.get(name), "nested"):
                body = {**subject.body(), name: {**value, "no_such_field": 1}}
                response = subject.admin.post(subject.collection, json=body)
                assert response.status_code == 422, f"{name}: {response.status_code} {response.text[:300]}"
                assert "no_such_field" in str(problem(response, 422, "validation")["errors"])
