"""``dry_run=true``: every check is done, nothing is written, and the answer is what the real request would answer."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Made, Subject, problem

DRY = {"dry_run": "true"}


class DryRunChecks:
    """Dry runs of each write."""

    @needs("create", "many")
    def test_a_dry_run_of_a_create_makes_nothing(self, subject: Subject) -> None:
        before = subject.everything()
        response = subject.admin.post(subject.collection, json=subject.body(), params=DRY)
        assert response.status_code == 200, response.text
        assert subject.everything() == before

    @needs("create", "immediate", "many")
    def test_a_dry_run_of_a_create_answers_what_the_real_one_does(self, subject: Subject) -> None:
        body = subject.body()
        dry = subject.admin.post(subject.collection, json=body, params=DRY).json()
        real = subject.send("create", body=body).json()
        assert _planned(subject, dry) == _planned(subject, real)

    def test_a_dry_run_of_a_write_changes_nothing(self, subject: Subject, write_of_existing: str) -> None:
        made = subject.changing
        before = subject.admin.get(made.url)
        response = subject.send(write_of_existing, made, params=DRY)
        assert response.status_code == 200, response.text
        after = subject.admin.get(made.url, headers={"Cache-Control": "no-cache"})
        assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])

    @needs("patch")
    def test_a_dry_run_of_a_patch_answers_what_the_real_one_does(self, subject: Subject) -> None:
        _same_as_real(subject, subject.changing, "patch")

    @needs("replace")
    def test_a_dry_run_of_a_replace_answers_what_the_real_one_does(self, subject: Subject) -> None:
        _same_as_real(subject, subject.changing, "replace")

    @needs("patch", "labels")
    def test_a_dry_run_of_a_patch_shows_the_difference(self, subject: Subject) -> None:
        made = subject.changing
        response = subject.admin.patch(made.url, json={"labels": {"kit-dry": "run"}}, params=DRY)
        diff = response.json()["_dry_run"]["diff"]
        assert [each for each in diff if each["path"].startswith("/labels") and each["op"] in ("add", "replace")]

    @needs("delete")
    def test_a_dry_run_of_a_removal_answers_with_a_planned_operation(self, subject: Subject) -> None:
        made = subject.changing
        planned = subject.admin.delete(made.url, params=DRY).json()
        assert (planned["state"], planned["done"]) == ("planned", False)
        assert list(planned["_links"]) == ["target"]  # there is no operation to read
        assert planned["_dry_run"]["diff"]

    @needs("create", "own id")
    def test_a_dry_run_of_a_create_refuses_an_id_that_is_taken(self, subject: Subject) -> None:
        problem(subject.admin.post(subject.collection, json=subject.existing.body, params=DRY), 409, "exists")

    @needs("create")
    def test_a_dry_run_refuses_an_unknown_field(self, subject: Subject) -> None:
        body = {**subject.body(), "no_such_field": 1}
        problem(subject.admin.post(subject.collection, json=body, params=DRY), 422, "validation")


def _same_as_real(subject: Subject, made: Made, verb: str) -> None:
    body = subject.usual_body(verb, made)
    dry = subject.send(verb, made, params=DRY, body=body).json()
    real = subject.send(verb, made, body=body).json()
    assert _planned(subject, dry) == _planned(subject, real)


def _planned(subject: Subject, document: dict[str, object]) -> dict[str, object]:
    """Return what a dry run knows of an answer: not the version and times, not what the back end makes."""
    unknown = {"metadata", "_dry_run", "_links", *subject.plugin.schema.returned_once, *subject.case.made_by_back_end}
    return {name: value for name, value in document.items() if name not in unknown}
