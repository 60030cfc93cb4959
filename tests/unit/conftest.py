"""What tests of several parts ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture
def stop_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], Callable[[float], None]]:
    """Stop the monotonic clock of a module, and of no other; return a function that lets seconds pass."""

    def stop(module: ModuleType) -> Callable[[float], None]:
        now = [1000.0]
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: now[0]}))

        def pass_by(seconds: float) -> None:
            now[0] += seconds

        return pass_by

    return stop
