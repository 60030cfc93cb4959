"""The results of a check as a table for people, and as a document that another machine can reproduce."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from typing import Any

import yaml

from omni_gateway import __version__
from omni_gateway.plugin_check.check import Result
from omni_gateway.plugin_check.outcome import Outcome
from omni_gateway.plugin_check.package import OWN_DISTRIBUTION
from omni_gateway.plugin_check.rule import Grade
from omni_gateway.plugin_check.subject import Skipped, Subject
from omni_gateway.sdk import SDK_VERSION
from omni_gateway.source_place import SourcePlace


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Return the report: versions, digests, outcomes, and how to reproduce it. It has no time and no path of a machine.

    The same plugins, checked by the same gateway and Python, give the same document.
    """
    return {
        "gateway": __version__,
        "sdk": SDK_VERSION,
        "python": platform.python_version(),
        "plugins": [_plugin(result) for result in sorted(results, key=lambda result: result.subject.name)],
    }


def to_yaml(report: dict[str, Any]) -> str:
    """Return a report as YAML."""
    return yaml.safe_dump(report, sort_keys=False, allow_unicode=True, width=120)


def _plugin(result: Result) -> dict[str, Any]:
    subject = result.subject
    package = subject.package
    needed = sorted({f"{OWN_DISTRIBUTION}=={__version__}", f"{package.name}=={package.version}"})
    distribution = {"name": package.name, "version": package.version, "sources_sha256": _digest(subject)}
    if package.wheel:
        distribution["wheel_sha256"] = package.wheel
    return {
        "plugin": subject.name,
        "entry_point": f"{subject.entry_point} = {subject.target}",
        "distribution": distribution,
        "grade": result.grade.word if result.grade else "none",
        "rules": {outcome.rule.name: _outcome(outcome) for outcome in result.outcomes},
        "reproduce": f"pip install {' '.join(needed)} && omni-gateway plugin check {subject.name}",
    }


def _outcome(outcome: Outcome) -> Any:
    if outcome.faults:
        return {"failed": [str(fault) for fault in outcome.faults]}
    return {"skipped": outcome.skipped} if outcome.skipped else "passed"


def _digest(subject: Subject) -> str:
    """Return the SHA-256 of the plugin's source: of each file's name and content, in order; empty without source."""
    digest = hashlib.sha256()
    try:
        for module in subject.modules:
            content = hashlib.sha256(module.text.encode()).hexdigest()
            digest.update(f"{SourcePlace(module.file)} {content}\n".encode())
    except Skipped:
        return ""
    return digest.hexdigest()


def table(results: Sequence[Result]) -> str:
    """Return a row for each plugin: the rules of each grade that it keeps, and the grade that it has."""
    rows = [("PLUGIN", "DISTRIBUTION", *(grade.name for grade in Grade), "GRADE")]
    for result in results:
        kept = (_kept([each for each in result.outcomes if each.rule.grade == grade]) for grade in Grade)
        grade = result.grade.word if result.grade else "none"
        rows.append((result.subject.name, str(result.subject.package), *kept, grade))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def _kept(outcomes: Sequence[Outcome]) -> str:
    words = [outcome.word for outcome in outcomes]
    skipped = f" ({words.count('skipped')} skipped)" if "skipped" in words else ""
    return f"{words.count('passed')}/{len(words) - words.count('skipped')}{skipped}"
