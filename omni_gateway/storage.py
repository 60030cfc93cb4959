"""The gateway's store as the settings name it."""

from __future__ import annotations

from omni_gateway.omni import deadline
from omni_gateway.settings import Settings
from omni_gateway.store import Store


def store_of(settings: Settings) -> Store:
    """Return the store; nothing is opened yet. It keeps a bootstrap token where tokens are a way in, and only there."""
    folder = None if settings.store_url else settings.state_dir
    return Store(
        settings.database_url,
        settings.bootstrap_token if settings.takes_tokens else "",
        seconds=settings.store_timeout,
        folder=folder,
        left=deadline.left,
    )
