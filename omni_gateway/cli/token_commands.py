"""The commands ``omni-gateway token ...``: create, list and revoke the gateway's own tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from omni_gateway.cli.output import plain_errors
from omni_gateway.server import start_checks
from omni_gateway.settings import Settings


@click.group()
def token() -> None:
    """Create, list and revoke the gateway's tokens.

    They are in the store of the gateway: run this in the folder of `omni-gateway serve`, or with the same
    OMNI_GATEWAY_STATE_DIR or OMNI_GATEWAY_STORE_URL. A running gateway accepts a new token at once.
    """


def _store(settings: Settings) -> Any:
    from omni_gateway.settings.storage import store_of

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
