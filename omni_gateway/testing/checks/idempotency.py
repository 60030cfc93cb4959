"""``Idempotency-Key``: a repeated POST gets the first one's response and has no second effect."""

from __future__ import annotations

import uuid

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


def new_key() -> dict[str, str]:
    """Return the header with a key of its own."""
    return {"Idempotency-Key": uuid.uuid4().hex}


class IdempotencyChecks:
    """Repeated creates."""

    @needs("create", "many")
    def test_a_repeated_create_gets_the_first_response(self, subject: Subject) -> None:
        body, key = subject.body(), new_key()
        first = subject.send("create", headers=key, body=body)
        again = subject.admin.post(subject.collection, json=body, headers=key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"

    @needs("create", "list", "many")
    def test_a_repeated_create_makes_one_object(self, subject: Subject) -> None:
        body, key = subject.body(), new_key()
        before = {item["id"] for item in subject.list()}
        subject.send("create", headers=key, body=body)
        subject.admin.post(subject.collection, json=body, headers=key)
        assert len({item["id"] for item in subject.list()} - before) == 1

    @needs("create", "many")
    def test_a_key_with_another_body_is_refused(self, subject: Subject) -> None:
        body, key = subject.body(), new_key()
        subject.send("create", headers=key, body=body)
        other = subject.admin.post(subject.collection, json=subject.second_body(), headers=key)
        problem(other, 422, "idempotency-mismatch")

    @needs("create", "many")
    def test_the_key_of_a_refused_create_can_be_used_again(self, subject: Subject) -> None:
        body, key = subject.body(), new_key()
        refused = subject.admin.post(subject.collection, json={**body, "no_such_field": 1}, headers=key)
        problem(refused, 422, "validation")
        assert subject.send("create", headers=key, body=body).status_code in (200, 201, 202)

    @needs("create", "many")
    def test_a_key_is_the_callers_own(self, subject: Subject) -> None:
        body, key = subject.body(), new_key()
        subject.send("create", headers=key, body=body)
        response = subject.client(None).post(subject.collection, json=body, headers=key)
        problem(response, 401, "unauthenticated")
