"""The gateway's store as the settings name it."""

from __future__ import annotations

from omni_gateway.settings import Settings
from omni_gateway.store import Store


def store_of(settings: Settings) -> Store:
    """Return the store; nothing is opened yet. It keeps a bootstrap token where tokens are a way in, and only there."""
    folder = None if settings.store_url else settings.state_dir
    bootstrap_token = settings.bootstrap_token if settings.takes_tokens else ""
    return Store(settings.database_url, bootstrap_token, seconds=settings.store_timeout, folder=folder)
