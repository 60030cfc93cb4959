"""Applications with the plugins that a test gives, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings


def found(plugins: Sequence[ServicePlugin]) -> list[Found]:
    return [Found(plugin.name, "here", "acme", "1.0", "loaded", plugin) for plugin in plugins]


def app_of(settings: Settings, plugins: Sequence[ServicePlugin]) -> Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("omni_gateway.app.discover", lambda **_: found(plugins))
        return create_app(settings)


@contextmanager
def running(settings: Settings, plugins: Sequence[ServicePlugin]) -> Iterator[Flask]:
    """An application as a worker runs it: with the plugins' background tasks."""
    app = app_of(settings, plugins)
    gateway = cast(Gateway, app.extensions[EXTENSION])
    gateway.tasks.start()
    try:
        yield app
    finally:
        gateway.tasks.stop()
        gateway.own_omni.close()
