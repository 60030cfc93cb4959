"""A scripted Omni and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_gateway.omni import OmniClient, OmniConfig
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey, make_key, serving


@pytest.fixture(scope="session")
def key() -> TestKey:
    return make_key()


@pytest.fixture
def scripted() -> Iterator[ScriptedOmni]:
    with serving() as omni:
        yield omni


@pytest.fixture
def client(scripted: ScriptedOmni, key: TestKey) -> Iterator[OmniClient]:
    with OmniClient(OmniConfig(f"http://127.0.0.1:{scripted.port}", key.text, timeout=10)) as omni:
        yield omni
