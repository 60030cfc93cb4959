"""The gateway's store, as configured."""

from __future__ import annotations

from omni_gateway.omni import deadline
from omni_gateway.settings import Settings
from omni_gateway.store import Store


def store_of(settings: Settings) -> Store:
    """Return the store, not opened yet; the bootstrap token is passed on only if token authentication is on."""
    folder = None if settings.store_url else settings.state_dir
    return Store(
        settings.database_url,
        settings.bootstrap_token if settings.takes_tokens else "",
        seconds=settings.store_timeout,
        folder=folder,
        left=deadline.left,
    )
