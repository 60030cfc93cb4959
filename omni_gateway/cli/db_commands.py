"""The commands ``omni-gateway db ...``: migrations of the store, its backup and its restore."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omni_gateway.cli.output import plain_errors
from omni_gateway.server import state_lock
from omni_gateway.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from omni_gateway.store import PluginTables, Store
    from omni_gateway.store.migration import Steps

#: The exit code of `check` where migrations are missing.
BEHIND = 3
OWN_TABLES = "gateway"
_PAUSE_SECONDS = 0.5
_output = click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group()
def db() -> None:
    """Migrate, check, back up and restore the gateway's store.

    It is that of OMNI_GATEWAY_STORE_URL, or gateway.sqlite in OMNI_GATEWAY_STATE_DIR. docs/operations/backup.md and
    docs/operations/upgrades.md say when to use which command.
    """


@dataclass(frozen=True, slots=True)
class TablesState:
    """Tables of the gateway (:data:`OWN_TABLES`) or of a plugin: their migration, the newest, and what is missing."""

    tables: str
    current: str | None
    newest: str
    missing: Sequence[tuple[str, str]]

    @property
    def state(self) -> str:
        """Return ``current``, ``behind``, or ``newer`` for a database of a newer release, which this one can use."""
        if self.missing:
            return "behind"
        return "newer" if self.current is not None and self.current > self.newest else "current"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON members."""
        missing = [{"step": step, "purpose": purpose} for step, purpose in self.missing]
        return {"tables": self.tables, "state": self.state, "current": self.current, "newest": self.newest} | {
            "missing": missing
        }

    def __str__(self) -> str:
        lines = [f"{self.tables}: {self.state}, at step {self.current or 'none'} of {self.newest}"]
        return "\n".join([*lines, *(f"  missing: {step} {purpose}" for step, purpose in self.missing)])


@db.command()
@_output
@click.pass_context
@plain_errors
def check(context: click.Context, output: str) -> None:
    """Compare the tables with this release, without changing anything.

    Exits with 0 where nothing is missing, 3 where `omni-gateway db upgrade` has something to do, 1 where the store
    cannot be read.
    """
    settings = Settings.load()
    with _engine(settings) as engine:
        states = _states(engine, _table_sets(settings))
    _print_states(states, output)
    context.exit(BEHIND if any(each.missing for each in states) else 0)


@db.command()
@click.option("--dry-run", is_flag=True, help="Try the migrations, print their statements, and take them back.")
@_output
@plain_errors
def upgrade(dry_run: bool, output: str) -> None:
    """Run the missing migrations, those of plugins' tables too.

    `serve` does the same at its start; a deployment may do it before. It waits for the store as long as the start does.
    Gateways of the release before go on working meanwhile and afterwards.
    """
    from omni_gateway.settings.storage import store_of

    settings = Settings.load()
    sets = _table_sets(settings)
    with _engine(settings, wait=settings.store_start_timeout) as engine:
        states = _states(engine, sets)
        statements = _tried(engine, sets) if dry_run else {}
    if not dry_run:
        store = store_of(replace(settings, bootstrap_token=""))
        store.wait(settings.store_start_timeout)
        for tables in _plugin_tables(settings, store):
            tables.migrate()
        store.close()
    _print_upgrade(states, statements, output, dry_run=dry_run)


def _print_upgrade(
    states: Sequence[TablesState], statements: dict[str, Sequence[str]], output: str, *, dry_run: bool
) -> None:
    if output == "json":
        rows = [each.to_dict() | {"statements": statements.get(each.tables, [])} for each in states]
        click.echo(json.dumps({"dry_run": dry_run, "tables": rows}, indent=2))
        return
    for each in states:
        if not each.missing:
            click.echo(str(each))
            continue
        click.echo(f"{each.tables}: from step {each.current or 'none'} to {each.newest}")
        for step, purpose in each.missing:
            click.echo(f"  {'would run' if dry_run else 'done'}: {step} {purpose}")
        for statement in statements.get(each.tables, []):
            click.echo(f"  {statement};")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@plain_errors
def backup(file: Path) -> None:
    """Copy a SQLite store to FILE, while a gateway may be using it.

    The copy is the store as it is at one moment, and a file that only its owner can read: it holds hashes of tokens.
    """
    from omni_gateway.store.sqlite_backup import BackupError
    from omni_gateway.store.sqlite_backup import backup as copy

    try:
        step = copy(_sqlite_file(Settings.load(), "pg_dump --format=custom"), file)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: {file.stat().st_size} bytes, at step {step}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@plain_errors
def restore(file: Path) -> None:
    """Put a backup in the place of a SQLite store, while no gateway runs.

    The store that is replaced is kept beside it. Tokens that were revoked after the backup was made are valid again.
    """
    from omni_gateway.store.sqlite_backup import BackupError
    from omni_gateway.store.sqlite_backup import restore as put_back

    settings = Settings.load()
    database = _sqlite_file(settings, "pg_restore")
    try:
        with state_lock.held_alone(settings):
            aside = put_back(file, database)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{database}: restored from {file}" + (f"; the store that was there is {aside}" if aside else ""))
    click.echo("Tokens that were revoked since that backup are valid again: `omni-gateway token list` shows them.")


def _sqlite_file(settings: Settings, tool: str) -> Path:
    database = state_lock.sqlite_file(settings)
    if database is None:
        raise click.ClickException(f"the store is PostgreSQL: use `{tool}`, as docs/operations/backup.md says")
    return database


@contextmanager
def _engine(settings: Settings, *, wait: float = 0.0) -> Iterator[Engine | None]:
    """Yield an engine of the store as it is, None for a SQLite file that is not there yet; nothing is made.

    Raises StoreUnavailable if it cannot be reached within ``wait`` seconds.
    """
    from omni_gateway.store.database import make_engine

    database = state_lock.sqlite_file(settings)
    if database is not None and not database.exists():
        yield None
        return
    engine = _reachable(lambda: make_engine(settings.database_url, settings.store_timeout), settings, wait)
    try:
        yield engine
    finally:
        engine.dispose()


def _reachable(make: Callable[[], Engine], settings: Settings, wait: float) -> Engine:
    from omni_gateway.store import StoreUnavailable, deadline
    from omni_gateway.store.errors import failure_of
    from omni_gateway.store.migration import present

    until = time.monotonic() + wait
    while True:
        try:
            engine = make()  # imports the driver, which is no part of the store's time
            with deadline.within(settings.store_timeout):
                present(engine)
            return engine
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            if failure.lasting or time.monotonic() >= until:
                raise StoreUnavailable(failure.reason) from error
        time.sleep(_PAUSE_SECONDS)


def _table_sets(settings: Settings) -> dict[str, Steps]:
    from omni_gateway.settings.storage import store_of
    from omni_gateway.store.migration import OWN

    plugins = {tables.plugin: tables.steps for tables in _plugin_tables(settings, store_of(settings))}
    return {OWN_TABLES: OWN, **plugins}


def _plugin_tables(settings: Settings, store: Store) -> Iterator[PluginTables]:
    from omni_gateway.plugins.discovery import discover
    from omni_gateway.store import PluginTables

    for item in discover(disabled=settings.plugins_disabled, skip_broken=settings.plugin_errors == "skip"):
        if item.plugin is not None and item.plugin.tables is not None:
            yield PluginTables(store.database, item.plugin.name, item.plugin.tables)


def _states(engine: Engine | None, sets: dict[str, Steps]) -> Sequence[TablesState]:
    from omni_gateway.store.migration import missing, present

    return [
        TablesState(name, None if engine is None else present(engine, steps), steps.head, missing(engine, steps))
        for name, steps in sets.items()
    ]


def _tried(engine: Engine | None, sets: dict[str, Steps]) -> dict[str, Sequence[str]]:
    from omni_gateway.store import TablesError, deadline
    from omni_gateway.store.database import MIGRATION_SECONDS, make_engine
    from omni_gateway.store.migration import missing, try_missing

    engine = engine or make_engine("sqlite://", MIGRATION_SECONDS)
    statements = {}
    for name, steps in sets.items():
        try:
            with deadline.within(MIGRATION_SECONDS):
                if missing(engine, steps):
                    statements[name] = try_missing(engine, steps)
        except Exception as error:
            raise TablesError(
                f"the tables of {name!r} cannot be migrated to {steps.head!r}: {type(error).__name__}: {error}"
            ) from error
    return statements


def _print_states(states: Sequence[TablesState], output: str) -> None:
    if output == "json":
        click.echo(json.dumps([each.to_dict() for each in states], indent=2))
    else:
        for each in states:
            click.echo(str(each))
