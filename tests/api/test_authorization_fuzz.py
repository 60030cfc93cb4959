"""Whatever stands in ``Authorization``: 401, and never more than that."""

from __future__ import annotations

import base64

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples

pytestmark = pytest.mark.slow

#: What HTTP lets through a header (RFC 9110 §5.5): visible characters, spaces, tabs and bytes above 127.
_VALUE = st.text(st.characters(min_codepoint=9, max_codepoint=255, exclude_categories=["Cc"]), max_size=600)
_WORDS = st.sampled_from(["Bearer", "bearer", "BEARER", "Basic", "Digest", "Bearer Bearer", "", " "])
_SHAPES = st.one_of(
    _VALUE,
    st.binary(max_size=400).map(lambda raw: base64.b64encode(raw).decode()),
    st.binary(min_size=150, max_size=400).map(lambda raw: base64.b64encode(b'{"' + raw).decode()),
    st.lists(st.binary(max_size=60), min_size=2, max_size=5).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    ),
    st.binary(min_size=32, max_size=32).map(lambda raw: "ogw_" + base64.urlsafe_b64encode(raw).decode().rstrip("=")),
)


@settings(
    max_examples=examples(100, fuzz=300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(word=_WORDS, shape=_SHAPES)
def test_no_header_that_proves_nobody_lets_anybody_in(app: Flask, word: str, shape: str) -> None:
    header = f"{word} {shape}".strip("\t ") or "x"
    answer = app.test_client().get("/api/v1/clusters", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("size", [33_000, 60_000])
def test_a_credential_of_great_length_is_not_looked_at(app: Flask, size: int) -> None:
    answer = app.test_client().get("/api/v1/clusters", headers={"Authorization": "Bearer " + "e" * size})
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
