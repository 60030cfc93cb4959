"""Which socket of a service manager is taken; how one is served from is in tests/server/test_service_manager.py."""

from __future__ import annotations

import os

import pytest

from omni_gateway.server import passed_socket
from omni_gateway.settings import SettingsError


def test_a_socket_that_was_passed_to_another_process_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert passed_socket.address() is None


def test_several_sockets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "2")
    with pytest.raises(SettingsError, match="must have one ListenStream="):
        passed_socket.address()
