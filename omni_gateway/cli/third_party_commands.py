"""Commands that other packages add to ``omni-gateway``, by the entry-point group ``omni_gateway.commands``.

Only the command that is called is imported: the command line starts no slower for a package that adds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

import click

from omni_gateway.settings import Settings

GROUP = "omni_gateway.commands"
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class CommandGroup(click.Group):
    """A group whose further commands are those of other packages.

    A command of its own is found first; :func:`faults` names those of other packages that it hides.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, imported from its package if it is not one of ours; None if there is none."""
        return super().get_command(ctx, cmd_name) or _load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write our commands, then the names of those of other packages, which are not imported for it."""
        super().format_commands(ctx, formatter)
        rows = [
            (name, f"Of {_package(points[0])}.") for name, points in _by_name().items() if name not in self.commands
        ]
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)


def faults(group: click.Group) -> Iterator[str]:
    """Yield why commands of other packages cannot be called: names that are taken, or are no names."""
    for name, points in _by_name().items():
        if name in group.commands:
            yield f"the command {name!r} of {_package(points[0])} has the name of one of the gateway's own; rename it"
        elif not _NAME.fullmatch(name):
            yield f"the command {name!r} of {_package(points[0])} takes more than lower-case letters, digits and -"
        elif len(points) > 1:
            yield _twins(name, points)


def _load(name: str) -> click.Command | None:
    """Return the command of another package. Raises ``ClickException`` if it cannot be called."""
    points = _by_name().get(name)
    if points is None:
        return None
    if len(points) > 1:
        raise click.ClickException(_twins(name, points))
    if name in Settings.load().plugins_disabled:
        raise click.ClickException(f"{name!r} is disabled by OMNI_GATEWAY_PLUGINS_DISABLED")
    [point] = points
    source = f"the command {name!r} ({point.value}) of {_package(point)}"
    try:
        command = point.load()
    except Exception as error:
        raise click.ClickException(f"{source}: {type(error).__name__}: {error}") from error
    if not isinstance(command, click.Command):
        raise click.ClickException(f"{source} is a {type(command).__name__}, not a click.Command")
    return command


def _by_name() -> dict[str, list[EntryPoint]]:
    """Return the entry points of commands by their names, in the order of these."""
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        found.setdefault(point.name, []).append(point)
    return found


def _twins(name: str, points: list[EntryPoint]) -> str:
    return f"the command {name!r} is brought by {' and by '.join(map(_package, points))}; remove one"


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
