"""A bulk operation whose gateway is killed in the middle of it: the next one carries it on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.omni.types import MACHINE_CLASSES
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.stubs import simulator_faults_pb2 as pb
from tests.e2e.conftest import Served, start_gateway

pytestmark = pytest.mark.slow

#: Four objects are in the first chunk of an operation that writes one at a time.
COUNT = 6


@pytest.fixture
def omni(simulator: RunningSimulator) -> Iterator[OmniClient]:
    with OmniClient(OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)) as client:
        yield client


@pytest.fixture
def shelf(omni: OmniClient) -> Iterator[str]:
    """The value of a label that several machine classes have."""
    name = uuid.uuid4().hex[:8]
    ids = [f"{name}-{number}" for number in range(COUNT)]
    for id in ids:
        spec = {"match_labels": ["omni.sidero.dev/arch = amd64"]}
        omni.resources.create(MACHINE_CLASSES, id, spec, labels={"shelf": name})
    yield name
    for id in ids:
        omni.resources.remove(MACHINE_CLASSES, id)


@pytest.fixture
def start(simulator: RunningSimulator, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start a gateway; each has the same store."""
    started: list[Served] = []

    def run(*roles: str) -> Served:
        environ = {"OMNI_ENDPOINT": simulator.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": simulator.key}
        started.append(start_gateway(tmp_path, environ, roles))
        return started[-1]

    yield run
    for each in started:
        each.kill()


def test_a_patch_of_a_type_is_carried_on_by_the_gateway_that_is_started_after_a_kill(
    start: Callable[..., Served],
    simulator: RunningSimulator,
    omni: OmniClient,
    shelf: str,
    wait_until: Callable[..., Any],
) -> None:
    killed = start("operator")
    head = {"Authorization": f"Bearer {killed.tokens['operator']}"}
    silence = pb.Rule(method="*/Update", resource_id=f"{shelf}-5", silence=pb.Silence())

    def labels() -> list[str | None]:
        ids = [f"{shelf}-{number}" for number in range(COUNT)]
        return [omni.resources.get(MACHINE_CLASSES, id)["metadata"]["labels"].get("a") for id in ids]

    with simulator.faults.during(silence):
        path = f"/api/v1/resources/machineclasses?label_selector=shelf={shelf}&parallelism=1"
        answer = httpx.patch(f"{killed.url}{path}", json={"labels": {"a": "b"}}, headers=head, timeout=60)
        assert answer.status_code == 202, answer.text
        wait_until(lambda: labels() == ["b"] * 5 + [None], 60, "all objects but the one of which Omni does not answer")
        killed.kill()

    other = start()
    url = f"{other.url}{answer.headers['Operation-Location']}"

    def ended() -> dict[str, Any] | None:
        operation: dict[str, Any] = httpx.get(url, headers=head, timeout=60).json()
        return operation if operation["done"] else None

    operation = wait_until(ended, 180, "the operation's end in the other gateway")
    assert (operation["state"], operation["details"]["counts"]) == ("succeeded", {"updated": COUNT})
    assert labels() == ["b"] * COUNT
