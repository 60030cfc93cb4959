"""Callers who are restricted to some clusters get one and the same 404, whatever is missing or not theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from omni_gateway.auth import Role
from omni_gateway.http import guard
from omni_gateway.http.concealment import PlainNotFound, concealed
from omni_gateway.http.problems import Problem
from omni_gateway.store import Store

MISSING = Problem(404, "not-found", "The cluster 'theirs' is not there.", hint="It was there.", headers={"X-Seen": "1"})


@pytest.fixture
def restricted(bare: Flask, store: Store) -> Iterator[None]:
    """A request of a caller who may touch some clusters only."""
    token = store.tokens.create("held", Role.READER.value, None, ["mine-*"])[1]
    with bare.test_request_context(headers={"Authorization": f"Bearer {token}"}):
        guard.current_principal()
        yield


@pytest.mark.usefixtures("restricted")
def test_what_is_missing_and_what_is_not_theirs_is_told_alike() -> None:
    problem = concealed(MISSING)
    assert (problem.status, problem.code, problem.hint, problem.headers) == (404, "not-found", None, {})
    assert problem.detail == "There is no such object, or it belongs to a cluster that you may not touch."


@pytest.mark.usefixtures("restricted")
@pytest.mark.parametrize(
    "problem", [Problem(409, "conflict", "It is locked."), PlainNotFound("There is no such type.")]
)
def test_what_tells_nothing_of_other_clusters_is_told_as_it_is(problem: Problem) -> None:
    assert concealed(problem) is problem


def test_callers_of_all_clusters_are_told_what_is_missing(bare: Flask, store: Store) -> None:
    token = store.tokens.create("all", Role.READER.value, None)[1]
    with bare.test_request_context(headers={"Authorization": f"Bearer {token}"}):
        assert concealed(MISSING) is MISSING  # who asks is not known yet
        guard.current_principal()
        assert concealed(MISSING) is MISSING


def test_outside_of_a_request_there_is_nobody_to_conceal_from() -> None:
    assert concealed(MISSING) is MISSING


def test_a_404_of_no_object_says_what_it_is_told_to() -> None:
    problem = PlainNotFound("There is no such kind.", "Ask for another.", {"X-Kinds": "two"}, code="gone")
    assert (problem.status, problem.code, problem.detail, problem.hint, problem.headers) == (
        404,
        "gone",
        "There is no such kind.",
        "Ask for another.",
        {"X-Kinds": "two"},
    )
    assert PlainNotFound("There is none.").code == "not-found"
