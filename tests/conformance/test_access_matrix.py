"""``data/access.tsv``: the permissions of five roles on each of 155 types; one case for create, one for teardown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.outcomes import (
    DENIED,
    EXISTS,
    INTERNAL,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    UNIMPLEMENTED,
    UNKNOWN,
    outcome,
    same,
)
from tests.conformance.world import World

pytestmark = pytest.mark.slow

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


# Types that came, or whose roles changed, after Omni 1.7 (tried): below 1.10 the table does not tell of them.
CHANGED = {
    "DefaultJoinTokens",
    "EulaAcceptances",
    "ImageFactoryAuths",
    "ImportedClusterSecrets",
    "JWTPublicKeys.system.sidero.dev",
    "JoinTokens",
    "KubernetesHealthCheckStatuses",
    "KubernetesHealthChecks",
    "MachineConfigExtractionStatuses",
    "MachineInstallDiskConfigs",
    "MachineInstallDiskStatuses",
    "MachineRequests",
    "PublicKeyLastActives",
    "Quirks",
    "Supports",
}


def rows(*verbs: str) -> Iterator[Any]:
    text = (Path(__file__).parent / "data" / "access.tsv").read_text()
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        for role in ROLES:
            name = row["type"].removesuffix(".omni.sidero.dev")
            wanted = {verb: WORDS[row[f"{role}_{verb}"]] for verb in verbs if (name, verb) not in DEPENDS}
            marks = [SINCE_1_10] if name in CHANGED or role == "Auditor" or "teardown" in verbs else []
            if wanted:
                yield pytest.param(
                    row["type"], row["namespace"], role, wanted, marks=marks, id=f"access.tsv {name}: {role}"
                )


@pytest.mark.parametrize(("type_", "namespace", "role", "wanted"), list(rows("list", "create_empty")))
def test_a_role_lists_and_creates_what_the_table_says(
    omni: World, type_: str, namespace: str, role: str, wanted: dict[str, str]
) -> None:
    caller, name = omni.by(role), f"{omni.name()}-probe"
    calls = {
        "list": lambda: caller.list(type_, namespace=namespace),
        "create_empty": lambda: caller.create(type_, name, namespace=namespace),
    }

    same(wanted, {verb: outcome(calls[verb]) for verb in wanted})


@pytest.mark.parametrize(("type_", "namespace", "role", "wanted"), list(rows("teardown")))
def test_a_role_tears_down_what_the_table_says(
    omni: World, type_: str, namespace: str, role: str, wanted: dict[str, str]
) -> None:
    """What the role could make before, or what is not there; an older Omni looks for the object first."""
    caller, name = omni.by(role), f"{omni.name()}-probe"
    outcome(lambda: caller.create(type_, name, namespace=namespace))

    same(wanted["teardown"], outcome(lambda: caller.teardown(type_, name, namespace)))
