"""A Prometheus of Debian's package that scrapes one gateway, with the rules of deploy/ in a hurry."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.conftest import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yaml"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
START_SECONDS = 60.0

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="prometheus is missing: apt install prometheus"
)


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1/", timeout=30)

    def ready(self) -> bool:
        """Return whether it answers queries."""
        try:
            return self._client.get("/query", params={"query": "1"}).status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression has now; fails the test for one that it does not take."""
        answer = self._client.get("/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = self._client.get("/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def hurried(rules: str) -> str:
    """Return rules that fire at once, on what was in the last seconds; conditions and thresholds are the same.

    But for the two days after which a backup is overdue: here it is so after a minute and a half, where the simulator
    makes one each minute.
    """
    at_once = re.sub(r"for: \w+", "for: 0s", rules)
    return at_once.replace("[5m]", "[20s]").replace("[15m]", "[40s]").replace("> 172800", "> 90")


@contextmanager
def running_prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes a gateway and its fleet every two seconds, at its address for metrics."""
    assert PROMETHEUS is not None
    (folder / "rules.yaml").write_text(hurried(RULES.read_text()))
    targets = {"static_configs": [{"targets": [target]}]}
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [
            {"job_name": "omni-gateway", **targets},
            {
                "job_name": "omni-fleet",
                "metrics_path": "/metrics/fleet",
                "params": {"operations": ["true"]},
                **targets,
            },
        ],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    prometheus = Prometheus(url)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not prometheus.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"prometheus did not start:\n{(folder / 'prometheus.log').read_text()}")
            time.sleep(0.1)
        yield prometheus
    finally:
        prometheus.close()
        process.terminate()
        process.wait(30)
