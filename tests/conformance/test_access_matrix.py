"""facts/access.tsv: what each of five roles may do with each of 155 types, one case per type and role."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.outcomes import DENIED, EXISTS, INTERNAL, INVALID, MISSING, OK, UNIMPLEMENTED, UNKNOWN
from tests.conformance.outcomes import outcome, same
from tests.conformance.world import World

ROLES = ("None", "Reader", "Auditor", "Operator", "Admin")
WORDS = {
    "ok": OK,
    "denied": DENIED,
    "invalid": INVALID,
    "missing": MISSING,
    "unknown": UNKNOWN,
    "unimpl": UNIMPLEMENTED,
    "exists": EXISTS,
    "internal": INTERNAL,
}
# The cell depends on what the probe before it left behind (the table's own rows differ by it): cases of their own.
DEPENDS = {("DefaultJoinTokens", "create_empty"), ("DefaultJoinTokens", "teardown")}
# That Omni failed to list them with UNKNOWN for want of any object; with one, a list is a list.
DEPENDS |= {("MachineConfigDiffs", "list")}
# Only with a cluster in the query: test_backups.
DEPENDS |= {("EtcdBackups", "list")}


def rows() -> Iterator[Any]:
    text = (Path(__file__).parent / "data" / "access.tsv").read_text()
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        for role in ROLES:
            name = row["type"].removesuffix(".omni.sidero.dev")
            cells = {verb: row[f"{role}_{verb}"] for verb in ("list", "create_empty", "teardown")}
            wanted = {verb: WORDS[word] for verb, word in cells.items() if (name, verb) not in DEPENDS}
            yield pytest.param(row["type"], row["namespace"], role, wanted, id=f"access.tsv {name}: {role}")


@pytest.mark.parametrize(("type_", "namespace", "role", "wanted"), list(rows()))
def test_a_role_may_do_with_a_type_what_the_table_says(
    omni: World, type_: str, namespace: str, role: str, wanted: dict[str, str]
) -> None:
    caller, name = omni.by(role), f"{omni.name()}-probe"
    calls = {
        "list": lambda: caller.list(type_, namespace=namespace),
        "create_empty": lambda: caller.create(type_, name, namespace=namespace),
        "teardown": lambda: caller.teardown(type_, name, namespace),
    }

    got = {verb: outcome(call) for verb, call in calls.items() if verb in wanted}

    same(wanted, got)
