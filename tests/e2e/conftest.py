"""End to end: HTTP → gunicorn → gRPC → the simulator, or whatever Omni the environment names.

With ``OMNI_ENDPOINT`` set, the very same tests run against that Omni (``make test-live``); what needs machines that it
does not have is skipped by name. Each test cleans up what it made.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.channel import open_channel
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.testing.document import Document
from tests.conformance import cosi_state
from tests.e2e.cluster_steps import GONE_SECONDS
from tests.fitting import fitting, numbers
from tests.simulator.caller import Signer

START_SECONDS = 90.0
#: Seconds until a machine that is leaving a real Omni's cluster counts as free again.
RETURN_SECONDS = 180.0
#: Seconds that one test may take at a real Omni.
LIVE_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here may run against a live Omni, whose machines take their time."""
    live = "OMNI_ENDPOINT" in os.environ
    folder = str(Path(__file__).parent) + os.sep
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(pytest.mark.live)
            if live and item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LIVE_SECONDS))


@dataclass
class Served:
    """A running gateway."""

    url: str
    tokens: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path | None = None

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers, or of other children."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill(self) -> None:
        """End all its processes in the middle of what they do; nothing if it has ended."""
        if self.process.poll() is not None:
            return
        workers = self.workers
        self.process.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture(scope="session")
def omni_config(request: pytest.FixtureRequest) -> OmniConfig:
    """The Omni under the gateway: the environment's, or a simulator of this test process."""
    if os.environ.get("OMNI_ENDPOINT"):
        return OmniConfig.from_environ()
    simulator = request.getfixturevalue("simulator")
    return OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)


@pytest.fixture(scope="session")
def omni(omni_config: OmniConfig) -> Iterator[OmniClient]:
    """A client of that Omni, to see what it really holds."""
    with OmniClient(omni_config) as client:
        yield client


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def omni_environ(config: OmniConfig) -> dict[str, str]:
    """The environment of a gateway in front of an Omni."""
    return {
        "OMNI_ENDPOINT": config.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": config.service_account_key,
        **({"OMNI_CA_FILE": config.ca_file} if config.ca_file else {}),
        **({"OMNI_INSECURE": "true"} if config.insecure else {}),
    }


def start_gateway(
    state_dir: Path,
    environ: dict[str, str],
    roles: Sequence[str] = ("reader", "operator", "admin"),
    port: int | None = None,
) -> Served:
    """Start ``omni-gateway serve`` with a token of each role, and wait until it is alive."""
    port = port or free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    env |= {
        "OMNI_GATEWAY_STATE_DIR": str(state_dir),
        "OMNI_GATEWAY_WORKERS": "1",
        "OMNI_GATEWAY_DRAIN": "0",
        "OMNI_GATEWAY_AUTH": "token,omni-key",
        # One address and three tokens stand for all callers here.
        "OMNI_GATEWAY_RATE_LIMIT": "off",
        "OMNI_GATEWAY_FAILED_LOGINS": "off",
        "OMNI_GATEWAY_FAILED_LOGINS_IN_ALL": "off",
        **environ,
    }
    tokens = _make_tokens(env, roles) if roles else {}
    command = [sys.executable, "-m", "omni_gateway.cli", "serve", "--bind", f"127.0.0.1:{port}"]
    log = (state_dir / "gateway.log").open("wb")
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/livez", timeout=2).status_code == 200:
                return Served(url, tokens, process, state_dir / "gateway.log")
        except httpx.TransportError:
            time.sleep(0.05)
        if process.poll() is not None:
            break
    process.kill()
    raise RuntimeError(f"the gateway did not start:\n{(state_dir / 'gateway.log').read_text()}")


def _make_tokens(env: dict[str, str], roles: Sequence[str]) -> dict[str, str]:
    """Make a token of each role in the gateway's store, as ``omni-gateway token create`` does."""
    store = store_of(replace(Settings.load(env), bootstrap_token=""))
    store.wait(60)
    tokens = {role: store.tokens.create(f"test-{role}", role, None)[1] for role in roles}
    store.close()
    return tokens


def stop_gateway(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(30)


@pytest.fixture(scope="session")
def served(omni_config: OmniConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway under gunicorn in front of the Omni under test."""
    running = start_gateway(tmp_path_factory.mktemp("gateway"), omni_environ(omni_config))
    yield running
    stop_gateway(running)


@dataclass
class Fragile:
    """An Omni that fails on demand, a gateway of its own in front of it, and a client of each."""

    simulator: RunningSimulator
    served: Served
    api: httpx.Client
    omni: OmniClient


#: Seconds that the gateway in front of a fragile Omni waits for an answer.
PATIENCE = 2.0


@pytest.fixture(scope="session")
def _fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fragile]:
    with running_simulator(fleet=8, speed=60) as simulator:
        config = OmniConfig(simulator.endpoint, simulator.key)
        environ = {"OMNI_ENDPOINT": config.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": simulator.key}
        environ["OMNI_GATEWAY_OMNI_TIMEOUT"] = str(PATIENCE)
        served = start_gateway(tmp_path_factory.mktemp("fragile"), environ, ["admin"])
        with _client(served, read_document(served), "admin") as api, OmniClient(config) as omni:
            yield Fragile(simulator, served, api, omni)
        stop_gateway(served)


@pytest.fixture
def fragile(_fragile: Fragile, wait_until: Callable[..., Any]) -> Iterator[Fragile]:
    """An Omni that fails on demand; it is whole again, and reached again, when the test has ended."""
    yield _fragile
    _fragile.simulator.faults.clear()
    url = f"{_fragile.served.url}/readyz"
    wait_until(lambda: httpx.get(url).json()["status"] == "ok", 30, "Omni to be reached again")


@pytest.fixture(scope="session")
def document(served: Served) -> Document:
    """What the gateway says of its answers."""
    return read_document(served)


def read_document(served: Served) -> Document:
    return Document(httpx.get(f"{served.url}/openapi.json", timeout=30).json())


def _client(served: Served, document: Document, role: str | None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {served.tokens[role]}"} if role else {}
    hooks = {"response": [document.check]}
    return httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=30, event_hooks=hooks)


@pytest.fixture(scope="session")
def api(served: Served, document: Document) -> Iterator[httpx.Client]:
    """The API with an admin's token."""
    with _client(served, document, "admin") as client:
        yield client


@pytest.fixture(scope="session")
def operator(served: Served, document: Document) -> Iterator[httpx.Client]:
    """The API with an operator's token."""
    with _client(served, document, "operator") as client:
        yield client


@pytest.fixture(scope="session")
def reader(served: Served, document: Document) -> Iterator[httpx.Client]:
    """The API with a reader's token."""
    with _client(served, document, "reader") as client:
        yield client


@pytest.fixture(scope="session")
def anonymous(served: Served, document: Document) -> Iterator[httpx.Client]:
    """The API without a credential."""
    with _client(served, document, None) as client:
        yield client


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names that no other test has."""
    return lambda prefix: f"e2e-{prefix}-{secrets.token_hex(3)}"


@pytest.fixture
def made(api: httpx.Client, wait_until: Callable[..., Any]) -> Iterator[Callable[[str], str]]:
    """Register a URL below /api/v1 that this test made; it is deleted at the end, last one first."""
    urls: list[str] = []

    def register(url: str) -> str:
        urls.append(url)
        return url

    yield register
    for url in reversed(urls):
        _remove(api, url, wait_until)


def _remove(api: httpx.Client, url: str, wait_until: Callable[..., Any]) -> None:
    answer = api.delete(url)
    if answer.status_code in (409, 422) and url.startswith("clusters/"):
        api.post(f"{url}/actions/unlock")
        answer = api.delete(url)
    if answer.status_code == 503:
        wait_until(lambda: api.delete(url).status_code in (202, 204, 404), GONE_SECONDS, f"the removal of {url}")
    elif answer.status_code not in (202, 204, 404):
        pytest.fail(f"clean-up of {url}: {answer.status_code} {answer.text}")
    wait_until(lambda: api.get(url).status_code == 404, GONE_SECONDS, f"the end of {url}")


@pytest.fixture(scope="session")
def _reserved() -> set[str]:
    return set()


def available(omni: OmniClient) -> Sequence[Any]:
    """Return the MachineStatuses of the machines that are connected and in no cluster."""
    selector = "omni.sidero.dev/available,omni.sidero.dev/connected"
    return omni.resources.list("MachineStatuses.omni.sidero.dev", selectors=[selector]).items


@contextmanager
def reservations(omni: OmniClient, reserved: set[str], versions: Versions) -> Iterator[Callable[[int], list[str]]]:
    """Hand out ids of available machines to one user alone, of those that can join a cluster of ``versions``.

    Skips by name where there are not enough. A machine that a test before this one has left may still be on its way.
    """
    mine: list[str] = []

    def reserve(count: int) -> list[str]:
        deadline = time.monotonic() + (0 if versions.simulated else RETURN_SECONDS)
        while True:
            fit = fitting(available(omni), versions.talos, versions.omni)
            free = [id for id in fit if id not in reserved]
            if len(free) >= count or time.monotonic() > deadline:
                break
            time.sleep(1.0)
        if len(free) < count:
            pytest.skip(f"needs {count} free machines for Talos {versions.talos}, this Omni has {len(free)}")
        taken = free[:count]
        mine.extend(taken)
        reserved.update(taken)
        for machine in taken:
            # A test before this one may have given it one; an Omni up to 1.10 does not have the type.
            with suppress(omni_errors.NotFound, omni_errors.PermissionDenied):
                omni.resources.remove("MachineInstallDiskConfigs.omni.sidero.dev", machine)
        return taken

    yield reserve
    reserved.difference_update(mine)


@dataclass(frozen=True)
class Versions:
    """Versions that this Omni knows: ``*_next`` can be upgraded to from the first. ``omni`` is its own."""

    talos: str
    talos_next: str
    kubernetes: str
    kubernetes_next: str
    omni: str
    simulated: bool
    embedded_discovery: bool

    @property
    def cluster(self) -> dict[str, Any]:
        """What the body of a new cluster with machines begins with.

        The public discovery service is out of reach of many an Omni under test, and a machine that cannot tell it of
        its leaving takes minutes to leave.
        """
        return {
            "talos_version": self.talos,
            "kubernetes_version": self.kubernetes,
            "features": {"use_embedded_discovery_service": self.embedded_discovery},
        }


@pytest.fixture
def free_machines(omni: OmniClient, _reserved: set[str], versions: Versions) -> Iterator[Callable[[int], list[str]]]:
    """Ids of available machines, this test's alone."""
    with reservations(omni, _reserved, versions) as reserve:
        yield reserve


@pytest.fixture(scope="module")
def module_machines(omni: OmniClient, _reserved: set[str], versions: Versions) -> Iterator[Callable[[int], list[str]]]:
    """Ids of available machines, for the tests of one module."""
    with reservations(omni, _reserved, versions) as reserve:
        yield reserve


def _pairs_of_patches(known: dict[str, set[str]]) -> Iterator[tuple[str, str, str, str]]:
    """Yield two neighbouring Talos patch releases and two Kubernetes patch releases that both run, newest first."""
    ordered = sorted(known, key=numbers)
    for older, newer in zip(reversed(ordered[:-1]), reversed(ordered[1:]), strict=True):
        if numbers(older)[:2] != numbers(newer)[:2]:
            continue
        both = sorted((v for v in known[older] & known[newer] if "-" not in v), key=numbers)
        same_minor = [pair for pair in pairwise(both) if numbers(pair[0])[:2] == numbers(pair[1])[:2]]
        if same_minor:
            yield older, newer, *same_minor[0]


@pytest.fixture(scope="session")
def omni_version(omni: OmniClient) -> str:
    """The version that this Omni says it is."""
    found = omni.resources.get("SysVersions.system.sidero.dev", "current", "ephemeral")
    return str(found["spec"].get("backend_version", ""))


@pytest.fixture(scope="session")
def versions(omni: OmniClient, omni_version: str) -> Versions:
    """Versions of Talos and Kubernetes; of those that most of the free machines can join, the newest."""
    known = {
        item["metadata"]["id"]: set(item["spec"].get("compatible_kubernetes_versions", ()))
        for item in omni.resources.list("TalosVersions.omni.sidero.dev").items
        if not item["spec"].get("deprecated") and "-" not in item["metadata"]["id"]
    }
    machines = available(omni)
    pairs = list(_pairs_of_patches(known))
    if not pairs:
        raise RuntimeError(f"no two neighbouring versions among {sorted(known)}")
    chosen = max(pairs, key=lambda pair: len(fitting(machines, pair[0], omni_version)))
    features = omni.resources.get("FeaturesConfigs.omni.sidero.dev", "features-config")["spec"]
    discovery = bool(features.get("embedded_discovery_service"))
    return Versions(*chosen, omni_version, "OMNI_ENDPOINT" not in os.environ, discovery)


@pytest.fixture(autouse=True)
def _can_be_tried_here(request: pytest.FixtureRequest) -> None:
    """Skip, by name, what this Omni is too old for."""
    for mark in request.node.iter_markers("needs_omni"):
        version = str(request.getfixturevalue("omni_version"))
        if numbers(version)[:2] < numbers(mark.args[0])[:2]:
            pytest.skip(f"needs Omni {mark.args[0]}, this is {version}")
    for mark in request.node.iter_markers("needs_type"):
        try:
            request.getfixturevalue("omni").resources.list(mark.args[0], limit=1)
        except omni_errors.PermissionDenied:  # as Omni refuses types that it does not have
            pytest.skip(f"needs an Omni that has {mark.args[0]}")


LetGo = Callable[[str, str, str], None]


@pytest.fixture(scope="session")
def let_go(request: pytest.FixtureRequest, omni_config: OmniConfig) -> Iterator[LetGo]:
    """Take a test's own finalizer (type, id, finalizer) off an object that tears down.

    ResourceService refuses to change such an object: at a live Omni, COSI's own surface does it.
    """
    if not os.environ.get("OMNI_ENDPOINT"):
        store = request.getfixturevalue("simulator").store
        yield lambda type, id, finalizer: store.remove_finalizer(("default", type, id), finalizer)
        return
    with open_channel(omni_config, omni_config.trust_roots()) as channel:
        signer = Signer(omni_config.service_account_key)
        yield lambda type, id, finalizer: cosi_state.release(channel, signer, "default", type, id, finalizer)


@pytest.fixture(scope="session")
def gone(omni: OmniClient) -> Callable[[str, str], bool]:
    """Whether Omni holds no object of a type and id."""

    def check(type: str, id: str) -> bool:
        try:
            omni.resources.get(type, id)
        except omni_errors.NotFound:
            return True
        return False

    return check
