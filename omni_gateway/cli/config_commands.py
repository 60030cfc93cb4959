"""The commands ``omni-gateway config ...``: which settings are in effect, and whether they would do."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from omni_gateway.cli.output import plain_errors, print_table
from omni_gateway.environment.variables import PREFIX, in_file
from omni_gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from omni_gateway.plugins.discovery import Found

#: The exit code for variables that are no settings, where all values are valid: the gateway starts, with a warning.
UNKNOWN_VARIABLES = 3

_output = click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group(invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> None:
    """Check and show the settings; without a command, show them."""
    if context.invoked_subcommand is None:
        context.invoke(show)


@config.command()
@_output
@plain_errors
def show(output: str = "text") -> None:
    """Show the settings in effect, those of plugins too.

    Variable, where its value comes from, and the value; *** stands for a secret one. The sources are `environment`,
    `file` (a line of the file that OMNI_GATEWAY_CONFIG_FILE names), `secret file` (the file that the variable with
    _FILE after its name names) and `default`.
    """
    from omni_gateway.cli.effective_settings import effective_settings

    found = _plugins(Settings.load().plugins_disabled)
    rows = list(effective_settings(os.environ, found))
    if output == "json":
        click.echo(json.dumps([row.to_dict() for row in rows], indent=2, ensure_ascii=False))
    else:
        print_table([("VARIABLE", "SOURCE", "VALUE"), *((row.variable, row.source, row.value) for row in rows)])


@config.command()
@_output
@click.pass_context
def check(context: click.Context, output: str) -> None:
    """Check the settings, without starting, changing or reaching anything.

    Exits with 0 where all is well, 1 where a value is wrong (the gateway would not start), 3 where only names are
    unknown (it would start, and warn).
    """
    from omni_gateway.cli import settings_check

    try:
        unknown_at = {**in_file(os.environ), **os.environ}
        found = _plugins(_disabled(unknown_at))
        unknown = settings_check.unknown_variables(os.environ, found)
        errors = settings_check.faults(os.environ, found)
    except SettingsError as error:  # without the file of OMNI_GATEWAY_CONFIG_FILE there is nothing else to check
        unknown, errors = [], [str(error)]
    if output == "json":
        named = [{"variable": each.variable, "nearest": each.nearest or None} for each in unknown]
        click.echo(json.dumps({"valid": not errors, "errors": list(errors), "unknown": named}, indent=2))
    else:
        for text in errors:
            click.echo(f"Error: {text}")
        for each in unknown:
            click.echo(f"Warning: {each}")
        if not errors and not unknown:
            click.echo("The settings are valid.")
    context.exit(1 if errors else UNKNOWN_VARIABLES if unknown else 0)


def _disabled(merged: dict[str, str]) -> Sequence[str]:
    """Return the plugins to leave out, whatever else is wrong."""
    return [name.strip() for name in merged.get(f"{PREFIX}PLUGINS_DISABLED", "").split(",") if name.strip()]


def _plugins(disabled: Sequence[str]) -> Sequence[Found]:
    from omni_gateway.plugins.discovery import discover

    return discover(disabled=disabled, skip_broken=True)
