"""The difference between this machine's clock and Omni's, by the ``Date`` of an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from omni_gateway.omni import OmniConfig
from omni_gateway.omni.clock import OmniClock
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator

#: For an answer that takes its time on a busy machine.
TOLERANCE = 30


@pytest.fixture(scope="module")
def simulated() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=1, http=True) as running:
        yield running


@pytest.mark.parametrize("seconds", [0, 400, -400])
def test_it_is_measured_by_the_answer_of_omni(simulated: RunningSimulator, seconds: int) -> None:
    config = OmniConfig(f"http://{simulated.http_address}")
    skew = OmniClock(config, now=lambda: time.time() + seconds).skew()
    assert skew is not None
    assert abs(skew - seconds) < TOLERANCE


def test_an_omni_that_speaks_http_2_only_or_is_away_tells_nothing(simulated: RunningSimulator) -> None:
    assert OmniClock(OmniConfig(simulated.endpoint)).skew() is None
    assert OmniClock(OmniConfig("http://127.0.0.1:9")).skew() is None
    assert OmniClock(OmniConfig("https://127.0.0.1:9", insecure=True)).skew() is None
