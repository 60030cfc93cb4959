"""The commands ``omni-gateway plugin …``, for authors of plugins."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

_GRADES = ("bronze", "silver", "gold", "platinum")


@click.group()
def plugin() -> None:
    """Commands for authors of plugins."""


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
    from omni_gateway.checked_plugins import NothingToCheck, chosen
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
