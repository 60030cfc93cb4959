"""The views that `make bench` measures the gateway beside."""

from __future__ import annotations

import inspect

import pytest

from benchmarks import speed_constant
from omni_gateway.server import application
from omni_gateway.settings import Settings

from .conftest import Caller


@pytest.mark.parametrize("path", ["constant", "bare"])
def test_constant_bytes_are_answered_to_whoever_has_a_token(
    settings: Settings, tokens: dict[str, str], path: str
) -> None:
    client = speed_constant.create_app(settings).test_client()
    known, unknown = (Caller(client, token).get(f"/{path}/100") for token in (tokens["reader"], None))
    assert (known.status_code, len(known.data)) == (200, 100)
    assert unknown.status_code != 200


def test_the_server_can_call_it_in_the_place_of_its_own() -> None:
    own, other = (inspect.signature(each).parameters for each in (application.create_app, speed_constant.create_app))
    assert other.keys() == own.keys() - {"omni"}
