"""Roles: each verb is open to its role and those above, and to nobody else."""

from __future__ import annotations

import pytest

from omni_gateway.auth import Role
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.gateways import ROLES
from omni_gateway.testing.subject import METHODS, Subject, problem


class AccessChecks:
    """Each verb with each role and none."""

    def test_a_verb_is_open_to_its_role_and_above_only(self, subject: Subject, verb: str) -> None:
        for role in ROLES:
            made = subject.changing if verb in ("replace", "patch") else subject.existing
            if verb == "delete" and subject.may(role, verb):
                made = subject.one_to_remove()
            response = subject.send(verb, made, subject.client(role))
            if subject.may(role, verb):
                assert response.is_success, f"{role}: {response.status_code} {response.text[:300]}"
            else:
                problem(response, 403, "forbidden")

    def test_a_write_that_the_back_end_keeps_to_itself_is_refused(self, subject: Subject, kept_verb: str) -> None:
        before = subject.everything()
        response = subject.send(kept_verb, subject.existing)
        assert (response.status_code, response.headers["Content-Type"]) == (403, "application/problem+json")
        assert subject.everything() == before

    def test_a_key_of_a_reader_of_omni_writes_nothing(self, subject: Subject, write: str) -> None:
        made = subject.changing if write != "create" else None
        head = {"Authorization": f"Bearer {subject.omni_readers_key}"}
        response = subject.send(write, made, headers=head)
        assert response.status_code == 403, f"{response.status_code} {response.text[:300]}"

    def test_a_caller_without_a_credential_is_refused(self, subject: Subject, verb: str) -> None:
        response = subject.send(verb, subject.existing, subject.client(None))
        problem(response, 401, "unauthenticated")
        assert "WWW-Authenticate" in response.headers

    def test_a_refused_write_changes_nothing(self, subject: Subject, write_of_existing: str) -> None:
        before = subject.admin.get(subject.existing.url).content
        subject.send(write_of_existing, subject.existing, subject.client(None))
        assert subject.admin.get(subject.existing.url).content == before

    def test_a_verb_without_a_role_has_no_route(self, subject: Subject, missing_verb: str) -> None:
        if subject.gateway.document.operation(subject.path_of(missing_verb), METHODS[missing_verb]) is not None:
            pytest.skip("a view of the plugin's own serves this method")
        url = subject.collection if missing_verb in ("list", "create") else subject.url_of("there-is-none")
        response = subject.admin.request(METHODS[missing_verb], url)
        assert response.status_code in (404, 405)

    def test_the_document_names_the_role_of_a_verb(self, subject: Subject, verb: str) -> None:
        operation = subject.gateway.document.operation(subject.path_of(verb), METHODS[verb])
        assert operation is not None
        assert operation["x-required-role"] == Role(subject.plugin.roles[verb]).value

    @needs("list", "many")
    def test_a_watch_is_refused_without_a_credential(self, subject: Subject) -> None:
        head = {"Accept": "application/x-ndjson"}
        problem(subject.client(None).get(subject.collection, headers=head), 401, "unauthenticated")
