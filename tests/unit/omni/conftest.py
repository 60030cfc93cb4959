"""Keys such as Omni hands out, made here."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from pysequoia import Profile, Tsk

YEAR = 365 * 24 * 3600


def key_text(name: str = "automation", *, validity_seconds: int | None = YEAR) -> str:
    user_id = f"{name} <automation@serviceaccount.omni.sidero.dev>"
    secret = Tsk.generate(user_id=user_id, profile=Profile.RFC4880, validity_seconds=validity_seconds)
    return base64.b64encode(json.dumps({"name": name, "pgp_key": str(secret)}).encode()).decode()


@pytest.fixture(scope="session")
def service_account_key() -> str:
    return key_text()


@pytest.fixture(scope="session")
def expired_key() -> str:
    """Generated keys are dated back a minute, so one of thirty seconds is born expired."""
    return key_text(validity_seconds=30)


@pytest.fixture(scope="session")
def make_key_text() -> Callable[..., str]:
    return key_text
