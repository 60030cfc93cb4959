"""The command ``omni-gateway``."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from omni_gateway import __version__, embedded
from omni_gateway.cli import config_commands, db_commands, plugin_commands, third_party_commands
from omni_gateway.cli.output import plain_errors, print_table
from omni_gateway.http import metrics_directory
from omni_gateway.server import passed_socket, start_checks, state_lock
from omni_gateway.server.unauthenticated_bind import check_exposure
from omni_gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from omni_gateway.discovery import Found


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


main.add_command(plugin_commands.plugin)
main.add_command(config_commands.config)
main.add_command(db_commands.db)


@main.command(short_help="Serve the API, of a simulator without OMNI_ENDPOINT.")
@click.option(
    "--bind",
    metavar="HOST:PORT",
    help="Address to listen at, also unix:PATH. By default OMNI_GATEWAY_BIND, or 127.0.0.1:8080.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Worker processes. By default OMNI_GATEWAY_WORKERS, or one per core and at most 4.",
)
@plain_errors
def serve(bind: str | None, workers: int | None) -> None:
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
    _check_commands(settings)
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


def _check_commands(settings: Settings) -> None:
    """Refuse commands of plugins that cannot be called; warn of them where the settings say to skip broken plugins."""
    for fault in third_party_commands.faults(main):
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
    from omni_gateway.storage import store_of

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
    from omni_gateway.discovery import BrokenPlugin, discover
    from omni_gateway.plugin_check.rule import Fault
    from omni_gateway.storage import store_of
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
    from omni_gateway.discovery import discover

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


@main.group()
def token() -> None:
    """Create, list and revoke the gateway's tokens.

    They are in the store of the gateway: run this in the folder of `omni-gateway serve`, or with the same
    OMNI_GATEWAY_STATE_DIR or OMNI_GATEWAY_STORE_URL. A running gateway accepts a new token at once.
    """


def _store(settings: Settings) -> Any:
    from omni_gateway.storage import store_of

    if not settings.store_url:
        start_checks.check_folder(settings.state_dir)
    store = store_of(replace(settings, bootstrap_token=""))
    store.wait(0)
    return store


def _audit(settings: Settings, store: Any, command: str, id: str) -> None:
    """Audit what a command has done with a token."""
    from omni_gateway import audit
    from omni_gateway.audit.entries import command_entry

    audit.note_command(store.audit, settings.audit_file, command_entry(command, "auth/tokens", id))


@token.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["reader", "operator", "admin"]),
    default="reader",
    show_default=True,
    help="What its callers may do.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires. By default never.")
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    metavar="PATTERN",
    help="Only this cluster, or those of a pattern such as prod-*; may be repeated.",
)
@plain_errors
def create_token(name: str, role: str, days: int | None, clusters: tuple[str, ...]) -> None:
    """Create a token and print it; it cannot be shown again."""
    from datetime import timedelta

    if clusters and role == "admin":
        raise click.ClickException("a token restricted to some clusters can be reader or operator only")
    settings = Settings.load()
    store = _store(settings)
    token, secret = store.tokens.create(name, role, timedelta(days=days) if days else None, clusters or None)
    click.echo(secret)
    _audit(settings, store, "omni-gateway token create", token.id)
    if not settings.takes_tokens:
        click.echo("A gateway with this OMNI_GATEWAY_AUTH does not accept tokens.", err=True)


@token.command("list")
@plain_errors
def list_tokens() -> None:
    """List the tokens; their text is not stored."""
    for item in _store(Settings.load()).tokens.list():
        expires = item.expires.isoformat() if item.expires else "never"
        used = item.last_used.isoformat(timespec="minutes") if item.last_used else "never"
        clusters = "" if item.clusters is None else f"  clusters {','.join(item.clusters)}"
        click.echo(f"{item.id}  {item.role:<8}  expires {expires}  last used {used}  {item.name}{clusters}")


@token.command("revoke")
@click.argument("id")
@plain_errors
def revoke_token(id: str) -> None:
    """Revoke a token by the id that `token list` shows."""
    settings = Settings.load()
    store = _store(settings)
    if not store.tokens.revoke(id):
        raise click.ClickException(f"there is no token {id!r}")
    _audit(settings, store, "omni-gateway token revoke", id)
