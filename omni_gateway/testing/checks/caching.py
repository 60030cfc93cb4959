"""The cache: an answer from it is the answer of Omni, byte for byte, and one's own writes are in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject

SECONDS = 20.0
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

    @needs("list", "patch", "omni type", "many")
    def test_a_change_of_omnis_own_is_listed_as_a_write_finds_it(self, subject: Subject) -> None:
        made = subject.changing
        before = _listed(subject, made.id)
        subject.case.alter(subject.omni, made.id)
        # The list is the first to show this version: what it does to objects of the cache is in its answer.
        deadline = time.monotonic() + SECONDS
        while (listed := _listed(subject, made.id)) == before:
            assert time.monotonic() < deadline, f"the list does not show the change within {SECONDS} s"
            time.sleep(0.01)
        assert listed == _content(subject.admin.patch(made.url, json={}).json())

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


def _listed(subject: Subject, id: str) -> dict[str, Any]:
    return _content(next(item for item in subject.list() if item["id"] == id))


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its metadata: controllers of Omni's may raise the version meanwhile."""
    return {name: value for name, value in document.items() if name != "metadata"}
