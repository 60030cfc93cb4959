"""Secrets: what a ``Secret`` field was given is in no answer, no event and no audit line."""

from __future__ import annotations

import json
import re

from omni_gateway.http.etags import content_part
from omni_gateway.redaction.configuration import MASK
from omni_gateway.testing.audit_lines import audit_lines
from omni_gateway.testing.checks.ids import IDS
from omni_gateway.testing.checks.routes import further_routes, send
from omni_gateway.testing.conditions import needs, secrets_of
from omni_gateway.testing.subject import Subject

NAMED_LIKE_A_SECRET = re.compile(r"(?i)(^|_)(pass(word|phrase)|secret|private_key|credential|api_key)s?$")


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
        before = subject.admin.get(made.url)
        response = subject.admin.put(made.url, json=before.json())
        assert response.status_code == 200, response.text
        assert {response.json()[name] for name in names} == {MASK}
        # The mask in the place of the secret would be another object.
        assert content_part(response.headers["ETag"]) == content_part(before.headers["ETag"])

    @needs("secrets", "create")
    def test_a_secret_is_not_in_a_refusal(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-refused"
        given = dict.fromkeys(secrets_of(subject.plugin.schema), secret)
        taken = subject.make(**given).body
        refused = [{**taken, "labels": {"kit": "x"}}, {**subject.body(), **given, "no_such_field": 1}]
        refused += [{**subject.body(), **given, "id": id} for id in (*IDS.values(), "", "x" * 1025)]
        for body in refused:
            response = subject.admin.post(subject.collection, json=body, params={"dry_run": "true"})
            assert secret not in response.text, f"the answer to {body['id']!r} has the secret: {response.text[:300]}"

    @needs("secrets", "create", "get", "further routes")
    def test_a_secret_is_not_in_the_answer_of_a_further_route(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-further"
        made = subject.make(**dict.fromkeys(secrets_of(subject.plugin.schema), secret))
        for route in further_routes(subject):
            assert secret not in send(subject, route, made).text, f"{route} shows a secret"

    @needs("create")
    def test_a_member_that_is_named_like_a_secret_is_not_shown(self, subject: Subject) -> None:
        secret = f"s3cret-{subject.token}-named"
        names = [name for name in subject.body() if NAMED_LIKE_A_SECRET.search(name)]
        names = [name for name in names if isinstance(subject.body()[name], str)]
        made = subject.make(**dict.fromkeys(names, secret)) if names else subject.existing
        shown = [name for name, value in subject.read(made.url).items() if value == secret]
        assert not shown, f"{', '.join(shown)}: declare a `fields.Secret`"
