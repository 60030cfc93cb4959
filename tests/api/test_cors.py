"""CORS: off unless set, then for the origins set and no credentials."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.settings import Settings

ORIGIN = "https://portal.example"


@pytest.fixture(scope="module")
def browser(settings: Settings) -> FlaskClient:
    return create_app(replace(settings, cors_origins=(ORIGIN,))).test_client()


def test_an_origin_that_is_set_may_read_the_headers_that_are_contract(browser: FlaskClient) -> None:
    answer = browser.get("/livez", headers={"Origin": ORIGIN})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"X-Pagination", "Link", "ETag", "Cache-Status", "X-Resume-Point", "Location", "X-Request-ID"} <= exposed


def test_another_origin_gets_nothing(browser: FlaskClient) -> None:
    assert (
        "Access-Control-Allow-Origin" not in browser.get("/livez", headers={"Origin": "https://evil.example"}).headers
    )


def test_credentials_are_never_shared(browser: FlaskClient) -> None:
    assert "Access-Control-Allow-Credentials" not in browser.get("/livez", headers={"Origin": ORIGIN}).headers


def test_a_preflight_is_answered_without_a_token(browser: FlaskClient) -> None:
    head = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    answer = browser.options("/api/v1/clusters/x", headers=head)
    assert (answer.status_code, "PATCH" in answer.headers["Access-Control-Allow-Methods"]) == (200, True)
