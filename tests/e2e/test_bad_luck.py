"""When Omni was never there or refuses the key; when the gateway is stopped; when the set-up is wrong."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pysequoia import Profile, Tsk

from omni_gateway.omni import OmniClient, OmniConfig

from .conftest import Served, free_port, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

BOOTSTRAP = "bootstrap-token-of-this-test-0123456789"


@pytest.fixture
def stranger_key() -> str:
    """A well-made key that no Omni knows."""
    key = Tsk.generate(user_id="stranger <stranger@serviceaccount.omni.sidero.dev>", profile=Profile.RFC4880)
    return base64.b64encode(json.dumps({"name": "stranger", "pgp_key": str(key)}).encode()).decode()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started = []

    def start(config: OmniConfig, **environ: str) -> Served:
        running = start_gateway(tmp_path, omni_environ(config) | environ)
        started.append(running)
        return running

    yield start
    for running in started:
        stop_gateway(running)


def ask(served: Served, path: str, **options: Any) -> httpx.Response:
    head = {"Authorization": f"Bearer {served.tokens['admin']}"}
    return httpx.get(f"{served.url}{path}", headers=head, timeout=30, **options)


def test_omni_away_is_503_with_retry_after(serve: Callable[..., Served], omni_config: OmniConfig) -> None:
    served = serve(replace(omni_config, endpoint=f"http://127.0.0.1:{free_port()}"))
    answer = ask(served, "/api/v1/clusters")
    assert (answer.status_code, answer.json()["code"]) == (503, "omni-unreachable")
    assert int(answer.headers["Retry-After"]) > 0
    assert ask(served, "/readyz").status_code == 503
    assert ask(served, "/livez").status_code == 200


def test_a_key_that_omni_does_not_know_is_told_at_the_start_by_readyz_and_by_requests(
    serve: Callable[..., Served],
    omni_config: OmniConfig,
    stranger_key: str,
    tmp_path: Path,
    wait_until: Callable[..., Any],
) -> None:
    served = serve(replace(omni_config, service_account_key=stranger_key))
    answer = ask(served, "/api/v1/clusters")
    assert (answer.status_code, answer.json()["code"]) == (502, "omni-credential")
    wait_until(lambda: "refuses the gateway's key" in ask(served, "/readyz").json()["checks"]["omni"]["reason"], 60)
    assert ask(served, "/readyz").status_code == 503
    wait_until(lambda: "refuses the gateway's key" in (tmp_path / "gateway.log").read_text(), 60)
    assert "PRIVATE KEY" not in (tmp_path / "gateway.log").read_text()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OMNI_ENDPOINT": "ftp://x", "OMNI_SERVICE_ACCOUNT_KEY": "(a good one)"}, "OMNI_ENDPOINT"),
        ({"OMNI_ENDPOINT": "http://127.0.0.1:1", "OMNI_SERVICE_ACCOUNT_KEY": "nonsense"}, "OMNI_SERVICE_ACCOUNT_KEY"),
        ({"OMNI_ENDPOINT": "http://127.0.0.1:1"}, "OMNI_SERVICE_ACCOUNT_KEY"),
        ({"OMNI_GATEWAY_THREADS": "x"}, "OMNI_GATEWAY_THREADS"),
        ({"OMNI_GATEWAY_BOOTSTRAP_TOKEN": "short"}, "32 bytes"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(
    environ: dict[str, str], words: str, stranger_key: str, tmp_path: Path
) -> None:
    environ = {name: stranger_key if value == "(a good one)" else value for name, value in environ.items()}
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    env |= {"OMNI_GATEWAY_STATE_DIR": str(tmp_path), **environ}
    command = [sys.executable, "-m", "omni_gateway.cli", "serve", "--bind", f"127.0.0.1:{free_port()}"]
    ended = subprocess.run(command, env=env, capture_output=True, timeout=90)
    said = ended.stderr.decode()
    assert ended.returncode == 1
    assert words in said
    assert "Traceback" not in said


def test_without_authentication_nobody_beyond_this_machine_is_served_by_accident(
    omni_config: OmniConfig, tmp_path: Path
) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    env |= {"OMNI_GATEWAY_STATE_DIR": str(tmp_path), "OMNI_GATEWAY_AUTH": "off"}
    env |= omni_environ(omni_config)
    serve = [sys.executable, "-m", "omni_gateway.cli", "serve", "--bind", f"0.0.0.0:{free_port()}"]
    wsgi = [sys.executable, "-c", "import wsgi"]
    for command in (serve, wsgi):
        ended = subprocess.run(command, env=env, capture_output=True, timeout=90)
        assert ended.returncode == 1
        assert "OMNI_GATEWAY_UNSAFE_NO_AUTH_BEYOND_LOOPBACK" in ended.stderr.decode()
    env["OMNI_GATEWAY_UNSAFE_NO_AUTH_BEYOND_LOOPBACK"] = "true"
    meant = subprocess.run(wsgi, env=env, capture_output=True, timeout=90)
    assert (meant.returncode, "EVERYBODY" in meant.stderr.decode()) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_requests_in_flight_finish_and_ends_streams(
    serve: Callable[..., Served], omni_config: OmniConfig, unique: Callable[[str], str], number: signal.Signals
) -> None:
    served = serve(omni_config)
    head = {"Authorization": f"Bearer {served.tokens['admin']}"}
    cluster = f"{served.url}/api/v1/clusters/{unique('c')}"
    httpx.post(f"{served.url}/api/v1/clusters", headers=head, json={"id": cluster.rpartition("/")[2]}, timeout=30)
    watching, ended = threading.Event(), threading.Event()

    def watch() -> None:
        stream = {**head, "Accept": "application/x-ndjson"}
        with httpx.stream("GET", f"{served.url}/api/v1/configpatches", headers=stream, timeout=60) as answer:
            for line in answer.iter_lines():
                if "BOOKMARK" in line:
                    watching.set()
        ended.set()

    waiting = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=30)
    try:
        threading.Thread(target=watch, daemon=True).start()
        assert watching.wait(60)
        operation = f"/api/v1/operations/cluster-bootstrap/{cluster.rpartition('/')[2]}?wait=3s"
        waiting.request("GET", operation, headers=head)
        ask(served, "/livez")  # a later connection is answered, so the earlier one was taken
        served.process.send_signal(number)
        assert served.process.wait(20) == 0
        assert ended.wait(60)
        assert waiting.getresponse().status == 200
    finally:
        waiting.close()
        with OmniClient(omni_config) as omni:
            omni.resources.teardown("Clusters.omni.sidero.dev", cluster.rpartition("/")[2])


def test_without_an_omni_the_embedded_one_is_started_and_ends_with_the_gateway(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    served = start_gateway(tmp_path, {"OMNI_GATEWAY_FLEET": "3"})
    try:
        health = ask(served, "/health")
        machines = ask(served, "/api/v1/machines")
        children = served.workers
    finally:
        stop_gateway(served)
    assert health.json()["omni"]["simulator"] is True
    assert "no Talos" in health.json()["simulator"]["limits"][0]
    assert machines.headers["X-Omni-Simulator"] == "true"
    assert len(machines.json()) == 3
    wait_until(
        lambda: (
            not [
                pid
                for pid in children
                if Path(f"/proc/{pid}/cmdline").exists() and b"omni" in Path(f"/proc/{pid}/cmdline").read_bytes()
            ]
        ),
        60,
    )


def test_plain_gunicorn_serves_the_same_application_within_the_same_bounds(
    tmp_path: Path, omni_config: OmniConfig, wait_until: Callable[..., Any]
) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    env |= omni_environ(omni_config)
    env |= {"OMNI_GATEWAY_STATE_DIR": str(tmp_path / "new"), "OMNI_GATEWAY_BOOTSTRAP_TOKEN": BOOTSTRAP}
    env |= {"OMNI_GATEWAY_WORKERS": "2", "OMNI_GATEWAY_DRAIN": "0", "TMPDIR": str(tmp_path)}
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--threads", "4", "-b", f"127.0.0.1:{port}"]
    root = Path(__file__).parents[2]
    with subprocess.Popen([*command, "--preload", "wsgi:app"], env=env, cwd=root, stderr=subprocess.DEVNULL) as process:

        def ready() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(ready, 90, "a ready application")
            head = {"Authorization": f"Bearer {BOOTSTRAP}"}
            bounded = httpx.get(f"http://127.0.0.1:{port}/livez?{'q' * 9000}", timeout=20)  # by gunicorn.conf.py
            assert (bounded.status_code, bounded.json()["code"]) == (414, "uri-too-long")
            assert bounded.headers["Server"] == "omni-gateway"
            url = f"http://127.0.0.1:{port}"
            assert [httpx.get(f"{url}/api/v1", headers=head, timeout=20).status_code for _ in range(12)] == [200] * 12
            # Each of several workers answers with what all of them counted.
            metrics = [httpx.get(f"{url}/metrics", headers=head, timeout=20).text for _ in range(8)]
            counted = 'omni_gateway_requests_total{method="GET",route="/api/v1",status="200"} 12.0'
            assert [counted in text for text in metrics] == [True] * 8
        finally:
            process.terminate()
    assert list(tmp_path.glob("omni-gateway-metrics-*")) == []
