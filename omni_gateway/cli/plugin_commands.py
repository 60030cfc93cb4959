"""The commands ``omni-gateway plugin ...``, for authors of plugins; none of them needs an Omni or a network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omni_gateway.scaffold.choices import GROUP, KINDS, LICENCES

if TYPE_CHECKING:
    from omni_gateway.scaffold.answers import Answers
    from omni_gateway.scaffold.omni_types import OmniTypeEntry, TypeField
    from omni_gateway.scaffold.update import FileUpdate

_GRADES = ("bronze", "silver", "gold", "platinum")


@click.group()
def plugin() -> None:
    """Write a plugin: see which types are free, make a package, check it, bring it up to date.

    docs/plugins/scaffold.md shows the commands in their order.
    """


@plugin.command("types")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--all", "everything", is_flag=True, help="List the types that a plugin serves, too.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_types(words: tuple[str, ...], everything: bool, form: str) -> None:
    """List Omni's resource types that have no plugin yet, with their fields.

    With WORDs, only the types whose names contain one of them. `read` after a type means that Omni refuses every
    write of its objects: its controllers make them.
    """
    from omni_gateway.scaffold.omni_types import entries_of_installed

    found = [
        entry for entry in entries_of_installed() if (everything or not entry.plugins) and _has_word(entry.name, words)
    ]
    if form == "json":
        click.echo(json.dumps([entry.as_json() for entry in found], indent=2))
        return
    for entry in found:
        click.echo("\n".join(_type_lines(entry)))
    if not found:
        where = "" if everything else " without a plugin; --all lists the others too"
        click.echo(f"No type has such a name{where}.", err=True)


@plugin.command("new")
@click.argument("name", required=False)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="omni-type: objects of a type of Omni's. own-backend: objects in an SQL database of yours. service: computed"
    " documents and actions. By default omni-type where --type is given.",
)
@click.option("--type", help="Omni's type, such as GRPCTunnelConfigs; `plugin types` lists those that are free.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME:KIND",
    help="A field of your own objects, such as title:string; may be repeated. Kinds: string, strings, boolean, integer,"
    " number, time, duration, secret.  [default: title:string]",
)
@click.option("--singular", help="The word for one object, where it is not the regular singular of NAME.")
@click.option("--description", help="What the objects are, in some words.")
@click.option("--group", default=GROUP, show_default=True, help="Where the document shows the routes.")
@click.option("--author", help="Your name, or your organisation's.")
@click.option("--licence", type=click.Choice(LICENCES), default="Apache-2.0", show_default=True)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="The folder to write; it must be empty or new. By default omni-gateway-plugin-NAME in this one.",
)
def new(folder: Path | None, **given: Any) -> None:
    """Make the package of a new plugin, with schema, declaration, tests and documentation.

    NAME is the first word of the plugin's URLs, a plural such as racks; for a type of Omni's it may be left out. On a
    terminal, what is missing is asked for.
    """
    from omni_gateway.scaffold.answers import WrongAnswer
    from omni_gateway.scaffold.package import CannotWrite, create

    try:
        answers = _answers(**given)
        folder = folder or Path(answers.distribution)
        create(answers, folder)
    except (WrongAnswer, CannotWrite) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(_next_steps(answers, folder)))


def _answers(
    *,
    name: str | None,
    kind: str | None,
    type: str | None,
    fields: tuple[str, ...],
    singular: str | None,
    description: str | None,
    author: str | None,
    **others: str,
) -> Answers:
    """Return the answers of the command line, and of a terminal for what is missing. Raises ``WrongAnswer``."""
    from omni_gateway.plugins.discovery import discover
    from omni_gateway.scaffold.answers import Answers, WrongAnswer, singular_of
    from omni_gateway.scaffold.omni_types import find_type, name_of_type, singular_of_type
    from omni_gateway.scaffold.package import refuse_taken, unused_schema_name

    kind = kind or ("omni-type" if type else _ask("--kind", "Kind", choices=KINDS))
    if fields and kind != "own-backend":
        raise WrongAnswer("--field", f"It is for the kind own-backend; this one is {kind}.")
    if type and kind != "omni-type":
        raise WrongAnswer("--type", f"It is for the kind omni-type; this one is {kind}.")
    if kind == "omni-type":
        type = find_type(type or _ask("--type", "Type of Omni's, such as GRPCTunnelConfigs"))
        name = name or _ask("NAME", "Name in URLs", name_of_type(type))
        if name == name_of_type(type):
            singular = singular or singular_of_type(type)
    name = name or _ask("NAME", "Name in URLs, a plural such as racks")
    singular = singular or (name if kind == "service" else singular_of(name))
    installed = discover(skip_broken=True)
    refuse_taken(name, singular, installed)
    if kind == "own-backend" and not fields:
        fields = tuple(_ask("--field", "Fields, as name:kind", "title:string").replace(",", " ").split())
    about = f"Objects of Omni's type {type.split('.')[0]}" if type else name.replace("-", " ").capitalize()
    return Answers(
        kind=kind,
        name=name,
        singular=singular,
        schema=unused_schema_name(type or "", singular, installed),
        description=(description or _ask("--description", "Description", about)).rstrip(". "),
        type=type or "",
        fields=fields,
        author=_ask("--author", "Author", "") if author is None else author,
        **others,
    )


def _ask(flag: str, text: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
    """Ask for an answer on a terminal. Elsewhere return the default; raises a ``UsageError`` if there is none."""
    if _on_terminal():
        return str(click.prompt(text, default=default, type=click.Choice(choices) if choices else str))
    if default is None:
        raise click.UsageError(f"{flag} is missing, and this is no terminal to ask on.")
    return default


def _on_terminal() -> bool:
    return sys.stdin.isatty()


def _next_steps(answers: Answers, folder: Path) -> Iterator[str]:
    yield f"{folder} is a package that can be installed: `/api/v1/{answers.name}`. Next:"
    yield f"  cd {folder} && pip install -e .[test]"
    yield "  pytest                        # the contract, as tests that you did not write"
    yield "  omni-gateway plugin check     # what is missing for the next grade"
    yield f"  omni-gateway serve            # http://127.0.0.1:8080/docs?tag={answers.name} has the routes"


@plugin.command()
@click.argument("target", metavar="[NAME|PATH]", required=False)
@click.option("--grade", type=click.Choice(_GRADES), default="platinum", show_default=True, help="The grade to reach.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a reproducible report, as YAML.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check(target: str | None, grade: str, report: Path | None, form: str) -> None:
    """Check plugins by the rules of docs/plugins/checks.md, without a server.

    NAME is an installed plugin, its entry point or its distribution; PATH a folder with a project's source, or a wheel.
    Without either, all installed plugins are checked. The exit code is 0 if each has the grade, and 1 if one has not.
    """
    from omni_gateway.cli.checked_plugins import NothingToCheck, chosen
    from omni_gateway.plugin_check import check as checking
    from omni_gateway.plugin_check import report as reports
    from omni_gateway.plugin_check.rule import Grade

    try:
        with chosen(target) as subjects:
            results = [checking.check(subject) for subject in subjects]
            document = reports.document(results)
            findings = [finding for result in results for finding in result.findings]
            needed = [(each.rule.grade.word, str(each)) for each in findings if each.rule.grade <= Grade[grade.upper()]]
    except NothingToCheck as error:
        raise click.UsageError(str(error)) from error
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join([reports.table(results), *(f"{word}: {text}" for word, text in needed)]))
    if report is not None:
        report.write_text(reports.to_yaml(document), encoding="utf-8")
    sys.exit(1 if needed else 0)


@plugin.command("update")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if there is something to update.")
def update_package(folder: Path, check: bool) -> None:
    """Apply this release's templates to a package that `plugin new` made; your changes stay.

    FOLDER is the package's, by default this one. A file with changes of yours and of the templates is merged; where
    both are about the same lines, yours stays, the template's is written beside it as FILE.new, and this exits with 1.
    """
    from omni_gateway.scaffold.record import NoRecord
    from omni_gateway.scaffold.update import update

    try:
        changes = update(folder, write=not check)
    except NoRecord as error:
        raise click.ClickException(str(error)) from error
    for change in changes:
        click.echo(_change_line(change))
    if not changes:
        click.echo("The package is that of this release's templates.")
    if (check and changes) or any(change.state == "conflict" for change in changes):
        sys.exit(1)


def _change_line(change: FileUpdate) -> str:
    explained = {
        "conflict": f"stays as it is: compare it with {change.path}.new, then remove that",
        "kept": "stays: the templates no longer have it, and it has changes of yours",
    }
    return f"{change.path}: {explained.get(change.state, change.state)}"


def _has_word(name: str, words: Iterable[str]) -> bool:
    return not words or any(word.lower() in name.lower() for word in words)


def _type_lines(entry: OmniTypeEntry) -> Iterator[str]:
    served = f"; served by {', '.join(entry.plugins)}" if entry.plugins else ""
    yield f"{entry.name}  ({', '.join(('read', *entry.verbs))}{served})"
    if entry.fields is None:
        yield "    (its fields are not known)"
    else:
        yield from _field_lines(entry.fields, "    ")


def _field_lines(fields: tuple[TypeField, ...], indent: str) -> Iterator[str]:
    width = max((len(field.name) for field in fields), default=0)
    for field in fields:
        yield f"{indent}{field.name.ljust(width)}  {field.kind}"
        yield from _field_lines(field.fields, f"{indent}    ")
