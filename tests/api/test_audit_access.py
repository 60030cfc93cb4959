"""Who may read the audit: admins of the gateway itself, whose clusters nobody has restricted."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.auth import Principal, Role, Scope
from omni_gateway.omni import OmniClient

URLS = ("/api/v1/audit", "/api/v1/audit/0123")
ALL = Principal("ada", Role.ADMIN, "token:1")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(client: FlaskClient, url: str, principal: Principal, **headers: str) -> tuple[int, str]:
    """Ask as a caller who has proved to be ``principal``."""
    answer = client.get(url, environ_overrides={"omni_gateway.principal": principal}, headers=headers)
    return answer.status_code, answer.json.get("code", "") if isinstance(answer.json, dict) else ""


def test_an_admin_of_everything_may(client: FlaskClient) -> None:
    assert [ask(client, url, ALL) for url in URLS] == [(200, ""), (404, "not-found")]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/event-stream"])
def test_an_admin_of_some_clusters_may_not(client: FlaskClient, url: str, accept: str) -> None:
    some = Principal("ada", Role.ADMIN, "token:1", scope=Scope(("prod-*",)))
    assert ask(client, url, some, Accept=accept) == (403, "forbidden")


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("role", [None, Role.READER, Role.OPERATOR])
def test_an_own_omni_identity_gives_no_access_to_the_gateways_record(
    client: FlaskClient, omni: OmniClient, url: str, role: Role | None
) -> None:
    caller = Principal("ada", role, "omni-key:1", "omni-key", omni=omni)
    assert ask(client, url, caller) == (403, "forbidden")
