"""The gateway's store as the settings name it."""

from __future__ import annotations

from omni_gateway.settings import Settings
from omni_gateway.store import Store


def store_of(settings: Settings) -> Store:
    """Return the store; nothing is opened yet."""
    folder = None if settings.store_url else settings.state_dir
    return Store(settings.database_url, settings.bootstrap_token, seconds=settings.store_timeout, folder=folder)
