"""Errors and tables, as all commands of ``omni-gateway`` print them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from omni_gateway.settings import Settings, SettingsError


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command: errors of the configuration are printed in one line, without a stack trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from omni_gateway.embedded import EmbeddedOmniError
        from omni_gateway.plugins.discovery import BrokenPlugin
        from omni_gateway.store import StoreMisconfigured, StoreUnavailable, TablesError

        try:
            return command(*args, **kwargs)
        except (SettingsError, BrokenPlugin, EmbeddedOmniError, TablesError) as error:
            raise click.ClickException(str(error)) from error
        except StoreUnavailable as error:
            raise click.ClickException(f"{error} It is {_place_of_store()}.") from error
        except StoreMisconfigured as error:
            raise click.ClickException(f"OMNI_GATEWAY_STORE_URL: {error}") from error

    return run


def _place_of_store() -> str:
    settings = Settings.load()
    return "the one of OMNI_GATEWAY_STORE_URL" if settings.store_url else str(settings.state_dir / "gateway.sqlite")


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows with aligned columns; the first is their titles."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))
