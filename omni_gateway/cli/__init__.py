"""The command ``omni-gateway``."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any

import click

from omni_gateway import __version__
from omni_gateway.cli import config_commands, db_commands, plugin_commands, third_party_commands, token_commands
from omni_gateway.cli.output import plain_errors, print_table
from omni_gateway.cli.serve_command import serve
from omni_gateway.http import metrics_directory
from omni_gateway.settings import Settings

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


@click.group(cls=third_party_commands.CommandGroup, context_settings=HELP_OPTIONS)
@click.version_option(__version__, prog_name="omni-gateway")
@click.pass_context
def main(context: click.Context) -> None:
    """A REST API with OpenAPI docs in front of Sidero Omni.

    `omni-gateway serve` is all that is needed to try it. Settings are environment variables, such as OMNI_ENDPOINT
    and OMNI_GATEWAY_BIND, or lines of a file that OMNI_GATEWAY_CONFIG_FILE names.
    """
    if context.invoked_subcommand == "serve":
        gc.disable()  # until the application is made: imports leave little garbage and many objects to look at
        metrics_directory.prepare()


main.add_command(serve)
main.add_command(token_commands.token)
main.add_command(plugin_commands.plugin)
main.add_command(config_commands.config)
main.add_command(db_commands.db)


@main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)
@click.pass_context
def simulator(context: click.Context) -> None:
    """Run the simulator alone (`simulator --help`)."""
    os.execv(sys.executable, [sys.executable, "-m", "omni_gateway.simulator", *context.args])  # noqa: S606


@main.command()
@click.option("--format", "form", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
@plain_errors
def openapi(form: str) -> None:
    """Print the OpenAPI document; no Omni is needed."""
    from omni_gateway.http.api import DOCUMENT

    document = _app_without_omni().extensions[DOCUMENT]
    if form == "yaml":
        from omni_gateway.http.document import to_yaml

        click.echo(to_yaml(json.loads(document)))
    else:
        click.echo(json.dumps(json.loads(document), indent=2, ensure_ascii=False))


def _app_without_omni() -> Any:
    from omni_gateway.app import create_app
    from omni_gateway.cache.client import CachingClient
    from omni_gateway.omni import OmniConfig

    return create_app(
        Settings.load(), omni=CachingClient(OmniConfig(endpoint="http://127.0.0.1:1", service_account_key=""))
    )


@main.command()
@plain_errors
def plugins() -> None:
    """List the plugins and their routes.

    Name, distribution, version, routes, range of SDK versions, and whether it can be loaded.
    """
    from omni_gateway.plugins.discovery import discover

    settings = Settings.load()
    rows = [("NAME", "DISTRIBUTION", "VERSION", "ROUTES", "SDK", "STATE")]
    for item in discover(disabled=settings.plugins_disabled, skip_broken=True):
        plugin = item.plugin
        routes = plugin.blueprint.url_prefix or "" if plugin else ""
        state = f"{item.state}: {item.problem}" if item.problem else item.state
        rows.append(
            (
                plugin.name if plugin else item.entry_point,
                item.distribution,
                item.version,
                routes,
                plugin.sdk if plugin else "",
                state,
            )
        )
    print_table(rows)
