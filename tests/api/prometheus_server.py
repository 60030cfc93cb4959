"""Debian's Prometheus (`make services`) on loopback, in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.conftest import free_port

BINARY = shutil.which("prometheus")
START_SECONDS = 60.0


class Prometheus:
    """A Prometheus that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self._url}/-/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def targets(self) -> list[dict[str, Any]]:
        """Return the targets that it scrapes now, as its API shows them."""
        found: list[dict[str, Any]] = httpx.get(f"{self._url}/api/v1/targets", timeout=30).json()["data"][
            "activeTargets"
        ]
        return found


@contextmanager
def running_prometheus(
    configuration: Mapping[str, Any], folder: Path, wait_until: Callable[..., Any]
) -> Iterator[Prometheus]:
    """Start Prometheus with a configuration; it ends with the context."""
    assert BINARY is not None
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": "prometheus.yml", "storage.tsdb.path": "data", "web.listen-address": address}
    with (folder / "prometheus.log").open("wb") as log:
        command = [BINARY, *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command, cwd=folder, env={}, stdout=log, stderr=log)
    try:
        prometheus = Prometheus(f"http://{address}")
        wait_until(prometheus.is_ready, START_SECONDS, "Prometheus to be ready")
        yield prometheus
    finally:
        process.kill()  # what it has collected is not needed, so it need not be written
        process.wait(30)
