"""A server that is about to stop tells load balancers so, and is alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.http.drain import DRAIN
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    settings = Settings(
        omni=OmniConfig("http://127.0.0.1:9", insecure=True), state_dir=tmp_path_factory.mktemp("draining")
    )
    return create_app(settings, plugins=[]).test_client()


@pytest.fixture
def _draining() -> Iterator[None]:
    DRAIN.begin(last=True)
    yield
    DRAIN.reset()


@pytest.mark.usefixtures("_draining")
def test_a_draining_server_is_not_ready_and_alive(client: FlaskClient) -> None:
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json is not None
    assert "drain" in ready.json["failed"]
    assert ready.json["checks"]["drain"]["reason"] == "The gateway is about to stop"
    assert client.get("/livez").status_code == 200


def test_a_server_that_serves_tells_of_no_drain(client: FlaskClient) -> None:
    ready = client.get("/readyz").json
    assert ready is not None
    assert "drain" not in ready["checks"]
