"""Run the rules over plugins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omni_gateway.plugin_check.catalogue import RULES
from omni_gateway.plugin_check.outcome import Outcome, outcome_of
from omni_gateway.plugin_check.package import Package
from omni_gateway.plugin_check.rule import Fault, Grade, Rule
from omni_gateway.plugin_check.subject import Subject


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a plugin, by a rule."""

    rule: Rule
    plugin: str
    package: Package
    fault: Fault

    def __str__(self) -> str:
        """Return it in a line: plugin, distribution, file and line, what is wrong, how to mend it."""
        return f"{self.plugin} ({self.package}): {self.fault} [{self.rule.name}]"


@dataclass(frozen=True)
class Result:
    """The outcomes of all rules about one plugin."""

    subject: Subject
    outcomes: Sequence[Outcome]

    @property
    def grade(self) -> Grade | None:
        """Return the highest grade all of whose rules, and of those below, are kept; None if not even the lowest."""
        reached = None
        for grade in Grade:
            if any(outcome.faults for outcome in self.outcomes if outcome.rule.grade == grade):
                break
            reached = grade
        return reached

    @property
    def findings(self) -> list[Finding]:
        """Return the faults as findings, in the order of the rules."""
        name, package = self.subject.name, self.subject.package
        return [Finding(outcome.rule, name, package, fault) for outcome in self.outcomes for fault in outcome.faults]


def check(subject: Subject, rules: Iterable[Rule] = RULES) -> Result:
    """Return what the rules find about a plugin."""
    return Result(subject, [outcome_of(rule, subject) for rule in rules])
