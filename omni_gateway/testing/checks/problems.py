"""Refusals: problem documents (RFC 9457) with a code and the id of the request."""

from __future__ import annotations

from omni_gateway.testing.checks.routes import assert_another_method_is_405
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


class ProblemChecks:
    """What every refusal has, and every response."""

    @needs("get", "many")
    def test_a_problem_names_its_type_its_status_and_the_request(self, subject: Subject) -> None:
        document = problem(subject.admin.get(subject.missing.url), 404, "not-found")
        assert {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
        assert document["status"] == 404
        assert document["type"].endswith("/not-found")

    @needs("get", "many")
    def test_the_id_of_a_request_is_taken_and_given_back(self, subject: Subject) -> None:
        response = subject.admin.get(subject.missing.url, headers={"X-Request-ID": "my-id.7"})
        assert (response.headers["X-Request-ID"], response.json()["request_id"]) == ("my-id.7", "my-id.7")

    @needs("get", "many")
    def test_a_problem_names_the_object_that_is_not_there(self, subject: Subject) -> None:
        missing = subject.missing
        assert missing.id in subject.admin.get(missing.url).json()["detail"]

    def test_a_method_that_is_not_there_is_405_and_names_those_that_are(self, subject: Subject) -> None:
        for path in {subject.path_of(verb) for verb in subject.verbs}:
            url = subject.existing.url if "{id}" in path else subject.collection
            assert_another_method_is_405(subject, path, url)

    def test_an_unknown_parameter_is_refused_by_name(self, subject: Subject, read: str) -> None:
        response = subject.send(read, subject.existing, params={"no_such_parameter": "1"})
        assert "no_such_parameter" in str(problem(response, 422, "unknown-parameter"))

    def test_a_response_cannot_be_sniffed_or_framed(self, subject: Subject, read: str) -> None:
        headers = subject.send(read, subject.existing).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
