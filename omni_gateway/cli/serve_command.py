"""The command ``omni-gateway serve``: what is done before gunicorn runs, and again at SIGHUP."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from omni_gateway import __version__, embedded
from omni_gateway.cli import third_party_commands
from omni_gateway.cli.output import plain_errors
from omni_gateway.host_names import DEFAULT_BIND
from omni_gateway.server import passed_socket, start_checks, state_lock
from omni_gateway.server.unauthenticated_bind import check_exposure
from omni_gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from omni_gateway.plugins.discovery import Found


@click.command(short_help="Serve the API, of a simulator without OMNI_ENDPOINT.")
@click.option(
    "--bind",
    metavar="HOST:PORT",
    help=f"Address to listen at, also unix:PATH. By default OMNI_GATEWAY_BIND, or {DEFAULT_BIND}.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Worker processes. By default OMNI_GATEWAY_WORKERS, or one per core and at most 4.",
)
@click.pass_context
@plain_errors
def serve(context: click.Context, bind: str | None, workers: int | None) -> None:
    """Serve the API of the Omni that OMNI_ENDPOINT and OMNI_SERVICE_ACCOUNT_KEY name.

    Without OMNI_ENDPOINT, an embedded Omni is started too: a simulator, with its state in the state directory
    (OMNI_GATEWAY_STATE_DIR, by default .omni-gateway in this folder). The first start prints an admin token.
    """
    settings = _settings(workers)
    passed = passed_socket.address()
    bind = passed or bind or settings.bind
    start_checks.check(bind, settings)
    _set_up_log(settings)
    state_lock.hold(settings)
    _check_audit_file(settings)
    check_exposure(bind, settings)
    _check_commands(cast(click.Group, context.find_root().command), settings)
    _tell(f"omni-gateway {__version__} is loading ...")
    from omni_gateway.server.application import serve as run  # imports most of the package
    from omni_gateway.server.start_summary import summary

    settings = _with_omni(settings)
    token = _ensure_a_token(settings)
    _tell("Loading the resources ...")
    plugins = _usable_plugins(settings)
    _warn_of_unknown_variables(plugins)
    run(
        bind,
        settings,
        plugins,
        renew=lambda: _renewed(bind, settings, workers),
        ready=lambda: _tell(summary(bind, settings, token, passed=passed is not None)),
    )


def _check_commands(group: click.Group, settings: Settings) -> None:
    """Refuse commands of plugins that cannot be called; warn of them where the settings say to skip broken plugins."""
    for fault in third_party_commands.faults(group):
        if settings.plugin_errors != "skip":
            raise click.ClickException(fault)
        _tell(f"Warning: {fault}.")


def _warn_of_unknown_variables(plugins: Sequence[Found]) -> None:
    """Warn of variables that look like settings and are none.

    They do not stop the start: a release must start with settings that only the next one knows, or it could not be
    gone back to.
    """
    from omni_gateway.cli.settings_check import unknown_variables

    for unknown in unknown_variables(os.environ, plugins):
        _tell(f"Warning: {unknown}")


def _tell(text: str) -> None:
    """Show progress on standard error."""
    click.echo(text, err=True)


def _set_up_log(settings: Settings) -> None:
    from omni_gateway import logs

    logs.configure(settings.log_level, settings.log_format, access=settings.access_log)


def _settings(workers: int | None) -> Settings:
    settings = Settings.load()
    return replace(settings, workers=workers) if workers else settings


def _renewed(bind: str, started: Settings, workers: int | None) -> tuple[Settings, Sequence[Found]]:
    """Read the settings and load the plugins again, on SIGHUP; an embedded Omni that was started stays the same."""
    settings = _settings(workers)
    check_exposure(bind, settings)
    if started.embedded:
        settings = replace(settings, omni=started.omni, embedded=True)
    plugins = _usable_plugins(settings)
    _warn_of_unknown_variables(plugins)
    return settings, plugins


def _check_audit_file(settings: Settings) -> None:
    """Raise SettingsError if the audit file cannot be written."""
    from omni_gateway.audit import lines

    try:
        if settings.audit_file:
            lines.check(settings.audit_file)
    except OSError as error:
        raise SettingsError(f"OMNI_GATEWAY_AUDIT_FILE cannot be written: {error.strerror}") from error


def _with_omni(settings: Settings) -> Settings:
    """Return the settings with an Omni; start the embedded one if none is configured."""
    if settings.omni is not None:
        return settings
    from omni_gateway.omni import OmniConfig

    _tell(f"No OMNI_ENDPOINT: starting the embedded Omni, a simulator with {settings.fleet} machines ...")
    omni = embedded.start(settings.state_dir, fleet=settings.fleet)
    config = OmniConfig(endpoint=omni.endpoint, service_account_key=omni.key, timeout=settings.omni_timeout)
    return replace(settings, omni=config, embedded=True)


def _ensure_a_token(settings: Settings) -> str | None:
    """Wait for the store, and save the bootstrap token's hash; if there is no token at all, create and return one.

    If token authentication is off, none is created: it would become valid, unnoticed, once that is switched on.
    """
    from omni_gateway.settings.storage import store_of

    store = store_of(settings)
    store.wait(settings.store_start_timeout)
    wanted = settings.takes_tokens and not settings.bootstrap_token
    secret = store.tokens.create_first("first-run", "admin") if wanted else None
    store.close()
    return secret


def _usable_plugins(settings: Settings) -> Sequence[Found]:
    """Load the plugins and run the migrations of their tables.

    Raises BrokenPlugin where one cannot be loaded or a migration fails, unless the settings say to skip it: then it is
    among the plugins as a broken one.
    """
    from omni_gateway.plugin_check.rule import Fault
    from omni_gateway.plugins.discovery import BrokenPlugin, discover
    from omni_gateway.settings.storage import store_of
    from omni_gateway.store import PluginTables, TablesError

    skip = settings.plugin_errors == "skip"
    store = store_of(settings)
    usable = []
    for item in discover(disabled=settings.plugins_disabled, skip_broken=skip):
        if item.plugin is not None and item.plugin.tables is not None:
            try:
                PluginTables(store.database, item.plugin.name, item.plugin.tables).migrate()
            except TablesError as error:
                fault = Fault(str(error), "", item.plugin.declared_at)
                if not skip:
                    raise BrokenPlugin(item, fault) from error
                item = item.without_plugin(fault)
        usable.append(item)
    store.close()
    return usable
