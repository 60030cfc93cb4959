"""Preconditions: ``If-Match`` and ``If-None-Match`` of writes."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


class PreconditionChecks:
    """A write over a state that its caller has not seen is refused."""

    @needs("changeable")
    def test_a_stale_tag_stops_a_write(self, subject: Subject, write_of_existing: str) -> None:
        made = subject.changing
        stale = subject.admin.get(made.url).headers["ETag"]
        subject.alter(made.id)
        before = subject.read(made.url)
        response = subject.send(write_of_existing, made, headers={"If-Match": stale})
        problem(response, 412, "stale-precondition")
        assert subject.read(made.url) == before

    def test_a_stopped_write_names_the_present_tag(self, subject: Subject, write_of_existing: str) -> None:
        made = subject.changing
        response = subject.send(write_of_existing, made, headers={"If-Match": '"another"'})
        problem(response, 412, "stale-precondition")
        assert response.headers["ETag"] == subject.admin.get(made.url).headers["ETag"]

    def test_the_present_tag_lets_a_write_pass(self, subject: Subject, write_of_existing: str) -> None:
        made = subject.one_to_remove() if write_of_existing == "delete" else subject.changing
        tag = subject.admin.get(made.url).headers["ETag"]
        response = subject.send(write_of_existing, made, headers={"If-Match": tag})
        assert response.is_success, response.text

    @needs("patch", "labels")
    def test_of_two_writers_with_one_tag_one_is_stopped(self, subject: Subject) -> None:
        made = subject.changing
        head = {"If-Match": subject.admin.get(made.url).headers["ETag"]}
        statuses = [
            subject.admin.patch(made.url, json={"labels": {"kit-writer": name}}, headers=head).status_code
            for name in ("first", "second")
        ]
        assert statuses == [200, 412]

    @needs("patch", "labels")
    def test_the_tag_of_a_write_is_the_present_one_for_the_next(self, subject: Subject) -> None:
        made = subject.changing
        tag = subject.admin.patch(made.url, json={"labels": {"kit-n": "1"}}).headers["ETag"]
        response = subject.admin.patch(made.url, json={"labels": {"kit-n": "2"}}, headers={"If-Match": tag})
        assert response.status_code == 200, response.text

    def test_if_none_match_of_any_stops_a_write_of_an_existing_object(
        self, subject: Subject, write_of_existing: str
    ) -> None:
        made = subject.changing
        before = subject.read(made.url)
        response = subject.send(write_of_existing, made, headers={"If-None-Match": "*"})
        problem(response, 412, "stale-precondition")
        assert subject.read(made.url) == before
