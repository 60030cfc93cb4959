"""The gateway behind a proxy that refuses HTTP/2: it reads, writes and watches, and says how it reaches Omni."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from omni_gateway.api.health import WARNED_SECONDS, omni_check
from omni_gateway.app import create_app
from omni_gateway.http.readiness import CheckFailed
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.omni.keys import parse_key
from omni_gateway.omni.signing import KeySigner
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import running_simulator
from tests.api.conftest import Caller
from tests.api.streams import told
from tests.omni_client.http1_proxy import http1_proxy

WATCH = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def behind_proxy(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """The gateway with default settings of the transport, and no credential asked for."""
    state: Path = tmp_path_factory.mktemp("behind-proxy")
    with running_simulator(fleet=2, http=True) as simulated, http1_proxy(simulated.http_address) as proxy:
        omni = OmniConfig(proxy.endpoint, simulated.key)
        yield create_app(replace(settings, omni=omni, state_dir=state, auth=("off",))).test_client()


def test_health_says_which_transport_is_in_use(behind_proxy: FlaskClient) -> None:
    health = behind_proxy.get("/health").get_json()
    assert (health["status"], health["omni"]["transport"]) == ("ok", "http")


def test_health_tells_how_far_the_clock_is_from_omnis(behind_proxy: FlaskClient) -> None:
    assert abs(behind_proxy.get("/health").get_json()["omni"]["clock_skew_seconds"]) < WARNED_SECONDS


def test_a_wrong_clock_is_named_as_the_reason_why_omni_refuses_the_key(caplog: pytest.LogCaptureFixture) -> None:
    def now() -> float:
        return time.time() + 400

    with running_simulator(fleet=1, http=True) as simulated:
        config = OmniConfig(f"http://{simulated.http_address}", simulated.key, transport="http")
        signer = KeySigner(parse_key(simulated.key), clock=now)
        with OmniClient(config, signer=signer) as omni, pytest.raises(CheckFailed) as failed:
            omni_check(omni, now)()
    assert re.search(r"this machine's clock is \d+ s ahead of Omni's, and 300 s are allowed", str(failed.value))
    assert "beyond 300 s Omni refuses every call" in caplog.text


def test_over_grpc_it_says_that(anonymous: Caller) -> None:
    assert anonymous.get("/health").get_json()["omni"]["transport"] == "grpc"


def test_an_object_is_written_and_read_and_a_watch_shows_it(behind_proxy: FlaskClient) -> None:
    behind_proxy.get("/readyz")
    id = f"proxied-{secrets.token_hex(4)}"
    answer = behind_proxy.get("/api/v1/configpatches", headers=WATCH, buffered=False)
    events = told(answer)
    while next(events)["type"] != "BOOKMARK":
        pass
    made = behind_proxy.post("/api/v1/configpatches", json={"id": id, "data": "machine: {}\n"})
    assert (made.status_code, behind_proxy.get(f"/api/v1/configpatches/{id}").status_code) == (201, 200)
    event = next(event for event in events if event["type"] != "HEARTBEAT")
    answer.close()
    assert (event["type"], event["object"]["id"]) == ("ADDED", id)


def test_a_machines_log_is_streamed(behind_proxy: FlaskClient) -> None:
    behind_proxy.get("/readyz")
    machine = behind_proxy.get("/api/v1/machines").get_json()[0]["id"]
    assert "talos" in behind_proxy.get(f"/api/v1/machines/{machine}/logs").get_data(as_text=True)
