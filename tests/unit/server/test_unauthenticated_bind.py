"""Without authentication nobody but this machine is served, unless somebody says that this is meant."""

from __future__ import annotations

import logging

import pytest

from omni_gateway.server.unauthenticated_bind import OVERRIDE, check_exposure
from omni_gateway.settings import Settings, SettingsError

OPEN = Settings(auth=("off",))


@pytest.mark.parametrize(
    "bind", ["0.0.0.0:8080", "192.0.2.1:80", "[::]:8080", ":8080", "gateway.example:80", "fd://3", None]
)
def test_without_authentication_others_are_not_served_by_accident(bind: str | None) -> None:
    with pytest.raises(SettingsError, match=OVERRIDE):
        check_exposure(bind, OPEN)


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", "127.1.2.3:80", "unix:/run/gateway.sock"]
)
def test_on_this_machine_it_is_served_and_the_log_says_so(bind: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_exposure(bind, OPEN)
    assert "is an admin" in caplog.text


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", None])
def test_who_says_that_it_is_meant_is_served_and_warned_each_time(
    bind: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        check_exposure(bind, Settings(auth=("off",), unsafe_no_auth_beyond_loopback=True))
    assert "EVERYBODY" in caplog.text


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "127.0.0.1:8080", None])
def test_with_authentication_there_is_nothing_to_say(bind: str | None, caplog: pytest.LogCaptureFixture) -> None:
    check_exposure(bind, Settings())
    assert caplog.text == ""
