"""Tests keep their objects in a folder of their own."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OMNI_GATEWAY_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
