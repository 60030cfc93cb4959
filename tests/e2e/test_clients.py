"""The clients of ``make clients``: strictly typed, and their READMEs' programs lead a cluster through its life."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from clients import build
from tests.e2e.cluster_steps import Machines, Made, Unique
from tests.e2e.conftest import Served
from tests.e2e.faulty_proxy import FaultyProxy, faulty_proxy

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

#: Media types that the Python generator makes nothing of, by design: files and streams have no model.
RAW = {"application/x-ndjson", "application/yaml", "application/zip", "application/x-tar"}
Clients = dict[str, Future[Path]]


def _older(command: list[str], wanted: tuple[int, ...]) -> str | None:
    """Return why a program cannot be used; None if it can."""
    name = command[0]
    if shutil.which(name) is None:
        return f"{name} is missing"
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = tuple(int(part) for part in re.findall(r"\d+", said)[: len(wanted)])
    return (
        None if found >= wanted else f"{name} {'.'.join(map(str, wanted))} or newer is needed, this is {said.strip()}"
    )


NO_NODE = _older(["node", "--version"], (20, 19)) or _older(["npm", "--version"], (10,))
NO_GO = _older(["go", "version"], (1, 26))
needs_node = pytest.mark.skipif(NO_NODE is not None, reason=f"{NO_NODE}")
needs_go = pytest.mark.skipif(NO_GO is not None, reason=f"{NO_GO}")


@pytest.fixture(scope="module")
def clients(served: Served) -> Iterator[Clients]:
    """Make all clients from the served document, side by side; a test waits for its own."""
    document = httpx.get(f"{served.url}/openapi.json").content
    wanted: dict[str, Callable[[bytes], Path]] = {"python": build.python_client}
    wanted |= {} if NO_NODE else {"typescript": build.typescript_client}
    wanted |= {} if NO_GO else {"go": build.go_client}
    with ThreadPoolExecutor(len(wanted)) as pool:
        yield {name: pool.submit(make, document) for name, make in wanted.items()}


def made(clients: Clients, name: str) -> Path:
    """Return the folder of a client; skip the test if a package registry cannot be reached."""
    try:
        return clients[name].result()
    except build.RegistryUnreachable as error:
        pytest.skip(f"no registry for the {name} client: {str(error).splitlines()[0]}")


@pytest.fixture
def proxy(served: Served) -> Iterator[FaultyProxy]:
    with faulty_proxy(served.url) as running:
        yield running


@pytest.fixture
def journey(served: Served, unique: Unique, made: Made, free_machines: Machines) -> Callable[..., list[str]]:
    """Run a README's program against a URL; return the lines that it prints."""
    free_machines(1)
    name = unique("client")
    made(f"clusters/{name}")

    def run(command: list[str | Path], folder: Path, url: str) -> list[str]:
        environ = {**os.environ, "GATEWAY_URL": url, "TOKEN": served.tokens["operator"], "CLUSTER": name}
        ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
        return [line.replace(name, "NAME") for line in ran.stdout.splitlines()]

    return run


def assert_nothing_was_lost_or_done_twice(proxy: FaultyProxy) -> None:
    """Lost answers were asked for by the same Idempotency-Key, refused requests sent again, the cut watch resumed."""
    creates = proxy.of("POST", "/api/v1/clusters")
    assert len(creates) == 2
    assert len({headers["idempotency-key"] for headers in creates}) == 1
    (path,) = {path for method, path, _ in proxy.requests if method == "DELETE"}
    assert len(proxy.of("DELETE", path)) == 2
    first, second = proxy.of("GET", path, stream=True)[:2]
    assert "last-event-id" not in first and second["last-event-id"]


def test_the_generator_of_the_python_client_understands_all_but_files_and_streams(clients: Clients) -> None:
    said = (made(clients, "python") / "generator.log").read_text()
    assert re.findall(r"(?:Unable to process|duplicate|Invalid)[^\n]*", said) == []
    assert set(re.findall(r"[Uu]nsupported content[_ ]type ([a-z/+-]+)", said)) <= RAW


def test_the_python_client_and_its_program_pass_mypy_strict(clients: Clients) -> None:
    folder = made(clients, "python")
    cache = ("--cache-dir", folder.parent / "mypy")
    build.run(sys.executable, "-m", "mypy", "--config-file", os.devnull, "--strict", *cache, "example.py",
              "omni_gateway_client", cwd=folder)  # fmt: skip


def test_the_python_program_leads_a_cluster_through_its_life_though_answers_are_lost(
    clients: Clients, journey: Callable[..., list[str]], proxy: FaultyProxy
) -> None:
    said = journey([sys.executable, "example.py"], made(clients, "python"), proxy.url)
    assert said[0].startswith("NAME 1.")
    assert said[-3:] == ["ADDED {}", "MODIFIED {'env': 'test'}", "not-found"]
    assert_nothing_was_lost_or_done_twice(proxy)


@needs_node
def test_the_typescript_program_leads_a_cluster_through_its_life_though_answers_are_lost(
    clients: Clients, journey: Callable[..., list[str]], proxy: FaultyProxy
) -> None:
    folder = made(clients, "typescript")
    said = journey(["node", "checked/example.js"], folder, proxy.url)
    assert said[0].startswith("NAME 1.")
    assert said[-3:] == ["ADDED {}", "MODIFIED { env: 'test' }", "not-found"]
    assert_nothing_was_lost_or_done_twice(proxy)


@needs_go
def test_the_go_program_leads_a_cluster_through_its_life(
    clients: Clients, journey: Callable[..., list[str]], served: Served
) -> None:
    folder = made(clients, "go")
    build.run("go", "vet", "./...", cwd=folder)
    said = journey(["go", "run", "./example"], folder, served.url)
    assert said[0].startswith("NAME 1.")
    assert said[-3:] == ["ADDED map[]", "MODIFIED map[env:test]", "not-found"]
