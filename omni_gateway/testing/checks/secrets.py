"""Secrets: what a ``Secret`` field was given is in no answer, no event and no audit line."""

from __future__ import annotations

import json

from omni_gateway.redaction.configuration import MASK
from omni_gateway.testing.audit_lines import audit_lines
from omni_gateway.testing.conditions import needs, secrets_of
from omni_gateway.testing.subject import Subject


class SecretChecks:
    """No secret in an answer."""

    @needs("secrets", "create")
    def test_a_secret_is_not_in_the_answer_of_a_create(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}"
        made = subject.make(**dict.fromkeys(secrets_of(subject.plugin.schema), secret))
        assert secret not in made.response.text

    @needs("secrets", "create")
    def test_a_secret_is_read_as_a_mask(self, subject: Subject, read: str) -> None:
        secret = f"s3cret-{subject.token}-{read}"
        names = secrets_of(subject.plugin.schema)
        made = subject.make(**dict.fromkeys(names, secret))
        assert secret not in subject.send(read, made).text
        assert {subject.read(made.url)[name] for name in names} == {MASK}

    @needs("secrets", "create", "list")
    def test_a_secret_is_not_in_a_watch(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-watch"
        subject.make(**dict.fromkeys(secrets_of(subject.plugin.schema), secret))
        with subject.watch() as stream:
            objects, _ = stream.initial()
        assert secret not in json.dumps(objects)

    @needs("secrets", "create", "list")
    def test_a_secret_cannot_be_searched_or_sorted_for(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-search"
        subject.make(**dict.fromkeys(secrets_of(subject.plugin.schema), secret))
        assert subject.list(search=secret) == []

    @needs("secrets", "create")
    def test_a_secret_is_not_in_a_dry_run(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-dry"
        body = {**subject.body(), **dict.fromkeys(secrets_of(subject.plugin.schema), secret)}
        assert secret not in subject.admin.post(subject.collection, json=body, params={"dry_run": "true"}).text

    @needs("secrets", "create")
    def test_a_secret_is_not_in_the_audit(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-audit"
        with audit_lines() as lines:
            subject.make(**dict.fromkeys(secrets_of(subject.plugin.schema), secret))
        assert secret not in str(lines)

    @needs("secrets", "create", "replace")
    def test_a_mask_that_is_sent_back_keeps_the_secret(self, subject: Subject) -> None:
        names = secrets_of(subject.plugin.schema)
        made = subject.make(**dict.fromkeys(names, f"s3cret-{subject.token}-kept"))
        response = subject.admin.put(made.url, json=subject.read(made.url))
        assert response.status_code == 200, response.text
        assert {subject.read(made.url)[name] for name in names} == {MASK}
