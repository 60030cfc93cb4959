"""The client of Omni for commands of the command line: that of the settings, with errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from omni_gateway.omni import OmniClient, OmniError
from omni_gateway.settings import Settings, SettingsError


@contextmanager
def omni_client() -> Iterator[OmniClient]:
    """Return a context manager around a client of the Omni that the settings name, with the gateway's own identity.

    A setting that is wrong or missing, and an error of Omni's that leaves the context, end the command with one line.
    """
    try:
        settings = Settings.load()
        if settings.omni is None:
            raise SettingsError("OMNI_ENDPOINT is not set: the command needs an Omni")
        with OmniClient(settings.omni) as omni:
            omni.find_transport()
            yield omni
    except (SettingsError, OmniError) as error:
        raise click.ClickException(str(error)) from error
