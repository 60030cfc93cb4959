"""The cache: an answer from it is the answer of Omni, byte for byte, and one's own writes are in it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject

NO_CACHE = {"Cache-Control": "no-cache"}
LISTS: Mapping[str, Mapping[str, str]] = {
    "whole": {},
    "page": {"page_size": "2", "page": "1"},
    "sorted": {"sort": "-id"},
    "selected": {"label_selector": "!no-such-label"},
    "fields": {"fields": "labels"},
    "summary": {"view": "summary"},
}


class CachingChecks:
    """Cached answer = uncached answer."""

    @needs("list")
    @pytest.mark.parametrize("form", LISTS)
    def test_a_cached_list_is_the_uncached_one_byte_for_byte(self, subject: Subject, form: str) -> None:
        assert subject.several
        answers = [
            subject.admin.get(subject.collection, params=LISTS[form], headers=head) for head in ({}, {}, NO_CACHE)
        ]
        assert answers[0].content == answers[1].content == answers[2].content
        assert len({answer.headers["ETag"] for answer in answers}) == 1
        assert len({answer.headers["X-Pagination"] for answer in answers}) == 1

    @needs("get")
    def test_a_cached_object_is_the_uncached_one_byte_for_byte(self, subject: Subject) -> None:
        answers = [subject.admin.get(subject.existing.url, headers=head) for head in ({}, {}, NO_CACHE)]
        assert answers[0].content == answers[1].content == answers[2].content
        assert len({answer.headers["ETag"] for answer in answers}) == 1

    @needs("get")
    def test_an_answer_is_the_same_for_each_role_that_may_read(self, subject: Subject) -> None:
        roles = [role for role in ("reader", "operator", "admin") if subject.may(role, "get")]
        assert len({subject.client(role).get(subject.existing.url).content for role in roles}) == 1

    @needs("list", "get", "create", "many")
    def test_a_new_object_is_read_at_once(self, subject: Subject) -> None:
        subject.list()
        made = subject.make()
        assert subject.admin.get(made.url).status_code == 200
        assert made.id in {item["id"] for item in subject.list()}

    @needs("list", "get", "changeable")
    def test_a_change_is_read_at_once(self, subject: Subject) -> None:
        made = subject.changing
        subject.alter(made.id)
        after = subject.read(made.url)
        assert after == subject.admin.get(made.url, headers=NO_CACHE).json()
        assert next(item for item in subject.list() if item["id"] == made.id) == after

    @needs("list", "get", "create", "delete", "many")
    def test_a_removed_object_is_gone_from_lists_at_once(self, subject: Subject) -> None:
        made = subject.make()
        subject.list()
        subject.admin.delete(made.url)
        assert subject.is_gone(made.url)
        assert made.id not in {item["id"] for item in subject.list()}
