"""The built-in resources through the conformance kit, with the simulator that all tests of this process share."""

from __future__ import annotations

import pytest

from omni_gateway.sdk.testing import EmbeddedOmni
from omni_gateway.simulator.embedded import RunningSimulator


@pytest.fixture(scope="session")
def omni(simulator: RunningSimulator) -> EmbeddedOmni:
    return EmbeddedOmni(simulator)
