"""The processes under measurement: an Omni (the simulator, unless the environment names another) and the gateway."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from omni_gateway import embedded
from omni_gateway.omni import OmniConfig

#: The one setting that a gateway under measurement takes from the environment.
CACHE_BYTES = "OMNI_GATEWAY_CACHE_BYTES"


@dataclass(frozen=True)
class Target:
    """A served gateway and the Omni beneath it."""

    host: str
    port: int
    token: str
    omni: OmniConfig
    seconds_to_ready: float | None
    pid: int | None


@contextmanager
def omni_under_test(fleet: int) -> Iterator[OmniConfig]:
    """The Omni that the environment names, or a fresh simulator."""
    if os.environ.get("OMNI_ENDPOINT"):
        yield OmniConfig.from_environ()
        return
    with TemporaryDirectory() as state:
        running = embedded.start(Path(state), fleet=fleet)
        try:
            yield OmniConfig(endpoint=running.endpoint, service_account_key=running.key)
        finally:
            running.stop()


@contextmanager
def gateway(
    omni: OmniConfig,
    ready: str = "/readyz",
    *,
    workers: int = 1,
    settings: Mapping[str, str] | None = None,
    module: str = "omni_gateway.cli",
) -> Iterator[Target]:
    """Serve the API and wait until ``ready`` is a 200; ``settings`` are further environment variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as state:
        env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
        env |= {"OMNI_ENDPOINT": omni.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": omni.service_account_key}
        env |= {"OMNI_CA_FILE": omni.ca_file} if omni.ca_file else {}
        env |= {"OMNI_INSECURE": "true"} if omni.insecure else {}
        env |= {"OMNI_GATEWAY_STATE_DIR": state, "OMNI_GATEWAY_LOG_LEVEL": "WARNING", "OMNI_GATEWAY_RATE_LIMIT": "off"}
        env |= {"OMNI_GATEWAY_DRAIN": "0"}
        env |= {CACHE_BYTES: os.environ[CACHE_BYTES]} if CACHE_BYTES in os.environ else {}
        env |= {"OMNI_GATEWAY_AUDIT_FILE": str(Path(state) / "audit")}
        # Named from outside, for it must be there before whatever counts is imported.
        env |= {"PROMETHEUS_MULTIPROC_DIR": mkdtemp(dir=state)} | dict(settings or {})
        command = [sys.executable, "-m", module]
        made = subprocess.run(
            [*command, "token", "create", "bench", "--role", "admin"], env=env, capture_output=True, check=True
        )
        start = time.monotonic()
        command += ["serve", "--workers", str(workers), "--bind", f"127.0.0.1:{port}"]
        process = subprocess.Popen(command, env=env)
        try:
            seconds = _wait_ready(port, ready, start)
            yield Target("127.0.0.1", port, made.stdout.decode().strip(), omni, seconds, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_ready(port: int, path: str, start: float) -> float:
    while time.monotonic() - start < 60:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.monotonic() - start
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
    raise RuntimeError("the gateway was not ready within a minute")


def worker_megabytes(pid: int) -> float:
    """Return the resident memory of the gateway's (one) worker process, in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = int(Path(f"/proc/{children[0]}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
