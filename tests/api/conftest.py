"""The application in this process, over real gRPC to the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store
from tests.services.conftest import postgresql as postgresql

#: The tests ask faster, and fail to log in more often, than any caller may; test_limits has limits of its own.
NO_RATES = {"rate_limit": "off", "failed_logins": "off", "failed_logins_in_all": "off"}


@pytest.fixture(scope="session")
def settings(simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    state = tmp_path_factory.mktemp("state")
    return Settings(omni=omni, state_dir=state, auth=("token", "omni-key"), **NO_RATES)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def undocumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications that the test makes document no routes, which is half of the time of making one."""
    monkeypatch.setattr("flask_smorest.Blueprint.register_views_in_doc", lambda *_, **__: None)


@pytest.fixture(scope="session")
def omni(settings: Settings) -> Iterator[OmniClient]:
    assert settings.omni is not None
    with OmniClient(settings.omni) as client:
        yield client


class Caller:
    """A test client that sends a token with every request."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.app, self.token = client.application, token or ""
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __getattr__(self, method: str) -> Callable[..., object]:
        call = getattr(self._client, method)

        def send(path: str, **options: object) -> object:
            headers = {**self._headers, **dict(options.pop("headers", {}) or {})}  # type: ignore[call-overload]
            return call(path if path.startswith("/") else f"/api/v1/{path}", headers=headers, **options)

        return send


@pytest.fixture(scope="session")
def tokens(settings: Settings) -> dict[str, str]:
    settings.state_dir.mkdir(exist_ok=True)
    store = Store(settings.database_url).tokens
    return {role: store.create(f"test-{role}", role, None)[1] for role in ("reader", "operator", "admin")}


@pytest.fixture
def api(app: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(app.test_client(), tokens["admin"])


@pytest.fixture
def reader(app: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(app.test_client(), tokens["reader"])


@pytest.fixture
def anonymous(app: Flask) -> Caller:
    return Caller(app.test_client(), None)


@pytest.fixture
def state_dir(settings: Settings) -> Path:
    return settings.state_dir
