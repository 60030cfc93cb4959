"""The OpenAPI document: each answer is as it says, and it says enough."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import METHODS, Subject


class DocumentChecks:
    """Document = behaviour. All other checks hold each answer against the document, too."""

    def test_an_operation_is_documented_for_a_reader(self, subject: Subject, verb: str) -> None:
        operation = subject.gateway.document.operation(subject.path_of(verb), METHODS[verb])
        assert operation is not None
        assert all(operation.get(name) for name in ("summary", "operationId", "tags", "responses"))

    def test_an_answer_is_as_the_document_says(self, subject: Subject, read: str) -> None:
        assert subject.several
        response = subject.send(read, subject.existing)
        assert response.status_code == 200
        subject.gateway.document.check(response)

    @needs("get")
    def test_the_document_names_each_member_that_an_object_has(self, subject: Subject) -> None:
        unknown = set(subject.read(subject.existing.url)) - subject.documented_members
        assert unknown == set()

    @needs("create")
    def test_the_example_of_the_document_is_a_body_that_is_taken(self, subject: Subject) -> None:
        operation = subject.gateway.document.operation(subject.path, "post")
        assert operation is not None
        assert operation["requestBody"]["content"]["application/json"].get("example"), "the plugin has no example"
        body = subject.body()
        assert subject.admin.post(subject.collection, json=body, params={"dry_run": "true"}).status_code in (200, 409)

    def test_the_links_of_an_object_are_urls_of_the_gateway(self, subject: Subject, read: str) -> None:
        document = subject.send(read, subject.existing).json()
        for each in document if isinstance(document, list) else [document]:
            assert all(url.startswith("/api/v1/") for url in each["_links"].values()), each["_links"]
