"""The services of ``deploy/compose/compose.yaml`` as processes on loopback, with its environments and its secrets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks import proxy
from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import free_port
from tests.services.postgres import PostgreSQL

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
START_SECONDS = 90.0
STOP_SECONDS = 60.0

#: The fixture ``wait_until``.
Wait = Callable[[Callable[[], Any], float, str], Any]


def compose() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def make_secrets(folder: Path) -> None:
    subprocess.run([FOLDER / "make-secrets", folder], check=True, capture_output=True, timeout=60)


def environ_of(service: str, secrets: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service, with the values of its variables, and the secrets in a folder."""

    def value(match: re.Match[str]) -> str:
        return variables.get(match[1]) or (match[3] if match[2] == ":-" else variables[match[1]])

    environ = compose()["services"][service]["environment"]
    filled = {name: re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text) for name, text in environ.items()}
    return {name: text.replace("/run/secrets", str(secrets)) for name, text in filled.items()}


class Replica:
    """A gateway at an address that stays."""

    def __init__(self, environ: Mapping[str, str], folder: Path, wait: Wait) -> None:
        self._wait = wait
        self.port = free_port()
        self._log = folder / "gateway.log"
        own = {"OMNI_GATEWAY_BIND": f"127.0.0.1:{self.port}", "OMNI_GATEWAY_STATE_DIR": str(folder)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
        self._environ = inherited | environ | own | {"TMPDIR": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "omni_gateway.cli", "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environ, stdout=log, stderr=log, start_new_session=True)
        self._wait(self._ready, START_SECONDS, f"readiness of the gateway whose log is {self._log}")

    def stop(self) -> int:
        """Stop it as `docker stop` does: its first process gets SIGTERM. Return the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill all of its processes, as those of a container are killed."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class Topology:
    """What runs: the address of nginx, the folder of the secrets, the replicas behind it."""

    url: str
    secrets: Path
    replicas: Sequence[Replica]
    postgresql: PostgreSQL


@contextmanager
def running(folder: Path, postgresql: PostgreSQL, simulator: RunningSimulator, wait: Wait) -> Iterator[Topology]:
    """Start all services of compose.yaml; Omni is a simulator."""
    secrets = folder / "secrets"
    make_secrets(secrets)
    folder.chmod(0o755)  # nginx's workers may run as somebody else
    (secrets / "omni-service-account-key").write_text(simulator.key)
    redis_port = free_port()
    _replace(secrets / "store-url", re.compile(".+"), postgresql.create("gateway"))
    _replace(secrets / "redis-url", re.compile("@redis:6379"), f"@127.0.0.1:{redis_port}")
    variables = {"OMNI_ENDPOINT": simulator.endpoint}
    faster = {"OMNI_GATEWAY_WORKERS": "1", "OMNI_GATEWAY_DRAIN": "1"}
    with ExitStack() as stack:
        stack.enter_context(_redis(secrets / "redis.conf", redis_port, wait))
        replicas = []
        for service in ("gateway-1", "gateway-2"):
            own = folder / service
            own.mkdir()
            replicas.append(Replica(environ_of(service, secrets, variables) | faster, own, wait))
            stack.callback(replicas[-1].kill)
            replicas[-1].start()
        port = stack.enter_context(_nginx(folder, secrets, [replica.port for replica in replicas], wait))
        yield Topology(f"https://127.0.0.1:{port}", secrets, replicas, postgresql)


def _replace(file: Path, pattern: re.Pattern[str], text: str) -> None:
    replaced = pattern.sub(lambda _: text, file.read_text())
    file.unlink()  # it is read-only
    file.write_text(replaced)


@contextmanager
def _redis(configuration: Path, port: int, wait: Wait) -> Iterator[None]:
    [program, _] = compose()["services"]["redis"]["command"]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(configuration.parent)]
    with subprocess.Popen([program, str(configuration), *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait(lambda: _listens(port), START_SECONDS, "Redis to listen")
            yield
        finally:
            process.terminate()


@contextmanager
def _nginx(folder: Path, secrets: Path, upstreams: Sequence[int], wait: Wait) -> Iterator[int]:
    port = free_port()
    environ = environ_of("nginx", secrets, {})
    addresses = iter(f"127.0.0.1:{upstream}" for upstream in upstreams)
    environ["UPSTREAM"] = re.sub(r"[\d.]+:8080", lambda _: next(addresses), environ["UPSTREAM"])
    environ["LISTEN"] = environ["LISTEN"].replace("8443", f"127.0.0.1:{port}")
    state = folder / "nginx"
    state.mkdir(mode=0o755)
    environ["STATE"] = str(state)
    template = (FOLDER / compose()["services"]["nginx"]["volumes"][0].split(":")[0]).read_text()
    filled = re.sub(r"\$\{(\w+)\}", lambda match: environ[match[1]], template)
    (state / "nginx.conf").write_text(filled)
    command = [str(proxy.BINARY), "-p", str(state), "-c", str(state / "nginx.conf"), "-g", "daemon off;"]
    with subprocess.Popen(command) as process:
        try:
            wait(lambda: _listens(port), START_SECONDS, "nginx to listen")
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
