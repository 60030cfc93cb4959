"""The results that mutmut leaves in ``mutants/``, counted by module."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mutmut.stats import status_by_exit_code

FOLDER = Path("mutants")
#: The exit code of a mutant that no test was run with, for pytest did not find one; mutmut calls it a timeout.
FAILED = 255


def results(modules: Sequence[str]) -> Mapping[str, str]:
    """Return the outcome of each mutant of the modules (shell patterns of their names)."""
    outcomes: dict[str, str] = {}
    for file in sorted(FOLDER.rglob("*.py.meta")):
        module = ".".join(file.relative_to(FOLDER).parts).removesuffix(".py.meta").removesuffix(".__init__")
        if any(fnmatchcase(module, pattern) for pattern in modules):
            codes = json.loads(file.read_text())["exit_code_by_key"]
            outcomes |= {
                mutant: "failed to run" if code == FAILED else status_by_exit_code[code]
                for mutant, code in codes.items()
            }
    return outcomes


def row(name: str, outcomes: Mapping[str, str]) -> str:
    """Return a row of the table of docs/mutation.md; a mutant that ends in a timeout is killed."""
    counts = Counter(outcomes.values())
    checked = len(outcomes) - counts["not checked"] - counts["failed to run"]
    killed = counts["killed"] + counts["timeout"]
    share = f"{100 * killed / checked:.1f}" if checked else "-"
    columns = (name, checked, killed, counts["timeout"], counts["survived"], counts["no tests"], share)
    return f"| {' | '.join(map(str, columns))} |"
