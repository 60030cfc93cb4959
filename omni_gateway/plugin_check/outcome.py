"""What one rule finds about one plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omni_gateway.plugin_check.exemptions import reason_of
from omni_gateway.plugin_check.rule import Fault, Rule
from omni_gateway.plugin_check.subject import Skipped, Subject


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule found about a plugin.

    :param faults: what is wrong; empty if the rule is kept.
    :param skipped: why the rule could not look, or does not apply; empty if it did.
    """

    rule: Rule
    faults: Sequence[Fault] = ()
    skipped: str = ""

    @property
    def word(self) -> str:
        """Return ``passed``, ``failed`` or ``skipped``."""
        return "failed" if self.faults else "skipped" if self.skipped else "passed"


def outcome_of(rule: Rule, subject: Subject) -> Outcome:
    """Return what a rule finds about a plugin."""
    if reason := reason_of(rule.name, subject):
        return Outcome(rule, skipped=reason)
    try:
        return Outcome(rule, tuple(rule.check(subject)))
    except Skipped as skipped:
        return Outcome(rule, skipped=str(skipped))
