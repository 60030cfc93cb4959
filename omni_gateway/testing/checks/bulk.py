"""Bulk requests: a verb on the collection, for the objects that a filter selects."""

from __future__ import annotations

import time
from typing import Any

from omni_gateway.testing.checks.clusters import ELSEWHERE
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import OPERATION_SECONDS, Subject, problem


class BulkChecks:
    """Promises of ``PATCH /<collection>`` and ``DELETE /<collection>``."""

    @needs("patch", "list")
    def test_a_patch_of_a_collection_without_a_filter_is_refused(self, subject: Subject) -> None:
        problem(subject.admin.patch(subject.collection, json=subject.change()), 422, "validation")

    @needs("delete", "list")
    def test_a_removal_of_a_collection_without_a_filter_is_refused(self, subject: Subject) -> None:
        before = subject.list()
        problem(subject.admin.delete(subject.collection), 422, "validation")
        assert {item["id"] for item in before} <= {item["id"] for item in subject.list()}

    @needs("patch", "list")
    def test_a_patch_of_a_collection_reaches_the_objects_that_the_list_shows(self, subject: Subject) -> None:
        made, change = subject.changing, subject.change()
        query = {"search": made.id}
        selected = {item["id"] for item in subject.list(search=made.id)}
        response = subject.admin.patch(subject.collection, params=query, json=change)
        assert response.status_code == 202, response.text
        operation = _ended(subject, response.headers["Operation-Location"])
        results = {each["id"]: each["action"] for each in operation["details"]["results"]}
        assert (set(results), results[made.id]) == (selected, "updated"), operation
        read = subject.read(made.url)
        assert all(
            subject.shows(read, name, value) for name, value in change.items() if name not in subject.not_read_back
        )

    @needs("patch", "list")
    def test_a_dry_run_of_a_patch_of_a_collection_has_the_difference_of_the_single_patch(
        self, subject: Subject
    ) -> None:
        made, change = subject.changing, subject.change()
        before = subject.read(made.url)
        single = subject.admin.patch(made.url, json=change, params={"dry_run": "true"})
        response = subject.admin.patch(subject.collection, params={"search": made.id, "dry_run": "true"}, json=change)
        assert (response.status_code, response.json()["state"]) == (200, "planned"), response.text
        results = {each["id"]: each for each in response.json()["details"]["results"]}
        assert results[made.id]["diff"] == single.json()["_dry_run"]["diff"]
        assert subject.read(made.url) == before

    @needs("patch", "list", "labels")
    def test_a_patch_of_a_collection_keeps_the_members_that_it_does_not_name(self, subject: Subject) -> None:
        made = subject.changing
        before = subject.read(made.url)
        body = {"labels": {"kit-bulk": subject.token}}
        response = subject.admin.patch(subject.collection, params={"search": made.id}, json=body)
        assert response.status_code == 202, response.text
        _ended(subject, response.headers["Operation-Location"])
        after = subject.read(made.url)
        different = [name for name in before if name not in ("labels", "metadata") and before[name] != after.get(name)]
        assert different == []
        assert after["labels"] == {**before["labels"], "kit-bulk": subject.token}

    @needs("delete", "list")
    def test_a_dry_run_of_a_removal_of_a_collection_removes_nothing(self, subject: Subject) -> None:
        made = subject.existing
        query = {"search": made.id, "dry_run": "true"}
        response = subject.admin.delete(subject.collection, params=query)
        assert response.status_code == 200, response.text
        assert made.id in {each["id"] for each in response.json()["details"]["results"]}
        assert subject.admin.get(subject.collection, params={"search": made.id}).json()

    @needs("cluster", "patch", "list")
    def test_a_patch_of_a_collection_does_not_reach_objects_of_other_clusters(self, subject: Subject) -> None:
        existing = subject.existing
        before = subject.read(existing.url)
        held = subject.held_to(ELSEWHERE, "operator")
        response = held.patch(subject.collection, params={"search": existing.id}, json=subject.change())
        if response.status_code == 202:
            operation = _ended(subject, response.headers["Operation-Location"])
            assert existing.id not in {each["id"] for each in operation["details"]["results"]}
        else:
            problem(response, 403, "forbidden")
        assert subject.read(existing.url) == before


def _ended(subject: Subject, url: str) -> dict[str, Any]:
    """Return an operation after its end."""
    deadline = time.monotonic() + OPERATION_SECONDS
    while not (operation := subject.read(f"{subject.gateway.url}{url}"))["done"]:
        assert time.monotonic() < deadline, operation
        time.sleep(0.02)
    return operation
