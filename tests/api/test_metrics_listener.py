"""``OMNI_GATEWAY_METRICS_BIND``: metrics and health by a listener of their own, and nothing else there."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.settings import Settings, SettingsError

BIND = ("127.0.0.1", 9090)


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    return create_app(replace(settings, metrics_bind="127.0.0.1:9090")).test_client()


def status(client: FlaskClient, path: str, listener: Any, **headers: str) -> int:
    socket = SimpleNamespace(listener=listener)
    return client.get(path, headers=headers, environ_overrides={"gunicorn.socket": socket}).status_code


def test_metrics_are_read_there_without_a_token(client: FlaskClient) -> None:
    assert status(client, "/metrics", BIND) == 200
    assert status(client, "/livez", BIND) == 200


def test_nothing_else_is_served_there(client: FlaskClient) -> None:
    assert status(client, "/api/v1/machines", BIND) == 404
    assert status(client, "/", BIND) == 404


@pytest.mark.parametrize("listener", [("127.0.0.1", 8080), ("10.0.0.1", 9090), "/run/gateway.sock", None])
def test_elsewhere_they_take_a_token_whatever_the_host_says(client: FlaskClient, listener: Any) -> None:
    assert status(client, "/metrics", listener, Host="127.0.0.1:9090") == 401


def test_a_page_that_resolves_to_loopback_reads_nothing(client: FlaskClient) -> None:
    assert status(client, "/metrics", BIND, Host="evil.example:9090") == 400


def test_a_wrong_token_is_refused_there_too(client: FlaskClient) -> None:
    assert status(client, "/metrics", BIND, Authorization="Bearer wrong") == 401


def test_beyond_loopback_a_token_is_needed(settings: Settings) -> None:
    client = create_app(replace(settings, metrics_bind="10.0.0.1:9090")).test_client()
    assert status(client, "/metrics", ("10.0.0.1", 9090)) == 401


@pytest.mark.parametrize("bind", ["9090", "localhost:9090", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:9090/metrics"])
def test_an_address_that_cannot_be_one_stops_the_start(bind: str) -> None:
    with pytest.raises(SettingsError, match="METRICS_BIND must be an IP address and a port"):
        Settings.load({"OMNI_GATEWAY_METRICS_BIND": bind})


def test_without_authentication_it_is_on_loopback_only() -> None:
    environ = {"OMNI_GATEWAY_AUTH": "off", "OMNI_GATEWAY_METRICS_BIND": "10.0.0.1:9090"}
    with pytest.raises(SettingsError, match="METRICS_BIND must be on loopback"):
        Settings.load(environ)
