"""What tests of several parts ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest
from flask import Flask

from omni_gateway.auth import Authenticator, FailedLogins, TokenMethod
from omni_gateway.http import guard, idempotency, request_id
from omni_gateway.http.api import GatewayApi
from omni_gateway.http.stream_tickets import StreamTickets
from omni_gateway.store import Store


@pytest.fixture
def stop_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], Callable[[float], None]]:
    """Stop the monotonic clock of a module, and of no other; return a function that lets seconds pass."""

    def stop(module: ModuleType) -> Callable[[float], None]:
        now = [1000.0]
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: now[0]}))

        def pass_by(seconds: float) -> None:
            now[0] += seconds

        return pass_by

    return stop


@pytest.fixture
def store(new_store: Store) -> Store:
    return new_store


@pytest.fixture
def bare(store: Store) -> Flask:
    """Return a small application with the HTTP layer and nothing else."""
    app = Flask("bare")
    app.config.update(
        API_TITLE="bare",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=False,
        MAX_CONTENT_LENGTH=100_000,
    )
    request_id.init_app(app)
    guard.init_app(
        app, Authenticator([TokenMethod(store.tokens)]), FailedLogins((), ()), StreamTickets(store.stream_tickets)
    )
    idempotency.init_app(app, store.idempotency)
    app.extensions["api"] = GatewayApi(app)
    return app
