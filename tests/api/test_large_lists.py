"""Lists of Omni's that do not fit into one message, as a caller of the gateway sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.settings import Settings, SettingsError

#: Fits one status of a machine, but not those of all.
MESSAGE_BYTES = 6_000
#: Sorted by what only statuses have: all of them are read.
ALL = "/api/v1/machines?page_size=1&sort=hostname"
DIRECT = {"Cache-Control": "no-cache"}

Serve = Callable[[int], FlaskClient]


@pytest.fixture
def serve(settings: Settings, undocumented: None) -> Serve:
    """A gateway that takes such messages, and so many bytes of one list."""
    assert settings.omni is not None
    omni = replace(settings.omni, max_message_bytes=MESSAGE_BYTES)

    def make(max_list_bytes: int) -> FlaskClient:
        changed = replace(omni, max_list_bytes=max_list_bytes)
        return create_app(replace(settings, omni=changed, auth=("off",))).test_client()

    return make


def test_machines_are_joined_with_statuses_that_do_not_fit_into_one_message(serve: Serve, settings: Settings) -> None:
    expected = create_app(replace(settings, auth=("off",))).test_client().get(ALL)

    answer = serve(10_000_000).get(ALL, headers=DIRECT)

    assert answer.status_code == 200
    assert [one["hostname"] for one in answer.get_json()] == [one["hostname"] for one in expected.get_json()]


def test_a_list_beyond_the_bound_is_a_problem_that_names_the_setting(serve: Serve) -> None:
    answer = serve(7_000).get(ALL, headers=DIRECT)

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (413, "too-large")
    assert "is larger than the 7,000 bytes" in problem["detail"]
    assert "OMNI_GATEWAY_MAX_LIST_BYTES" in problem["hint"]


def test_the_bound_is_a_setting() -> None:
    environ = {"OMNI_ENDPOINT": "http://127.0.0.1:1", "OMNI_GATEWAY_AUTH": "omni-key"}
    settings = Settings.load(environ | {"OMNI_GATEWAY_MAX_LIST_BYTES": "1000000"})
    assert settings.omni is not None and settings.omni.max_list_bytes == 1_000_000
    with pytest.raises(SettingsError, match="OMNI_GATEWAY_MAX_LIST_BYTES must be at least 1"):
        Settings.load(environ | {"OMNI_GATEWAY_MAX_LIST_BYTES": "0"})
