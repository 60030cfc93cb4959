"""Rules and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from omni_gateway.plugin_check.subject import Subject
from omni_gateway.source_place import SourcePlace


class Grade(IntEnum):
    """The grades, from the lowest; a plugin has a grade if it keeps the rules of it and of those below it."""

    #: It works.
    BRONZE = 1
    #: Callers understand it.
    SILVER = 2
    #: It holds under several workers, and keeps to the SDK.
    GOLD = 3
    #: Others can maintain it.
    PLATINUM = 4

    @property
    def word(self) -> str:
        """Return the grade's name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    :param problem: what is wrong.
    :param mend: how to mend it; empty if the problem says that.
    :param place: where it is; None if no file of the plugin is at hand.
    :param certain: False if it may be right for another version of Omni, or works in part; the start ignores it then.
    """

    problem: str
    mend: str
    place: SourcePlace | None
    certain: bool = True

    def __str__(self) -> str:
        """Return it in a line: file and line, what is wrong, how to mend it."""
        place = f"{self.place}: " if self.place is not None else ""
        return f"{place}{self.problem}" + (f"; {self.mend}" if self.mend else "")


Check = Callable[[Subject], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    :param name: its name, which stays.
    :param grade: the grade that needs it.
    :param check: yields the faults of a plugin. Raises :class:`~.subject.Skipped` where it cannot look.
    """

    name: str
    grade: Grade
    check: Check

    @property
    def summary(self) -> str:
        """Return the rule in a sentence: the first line of the function's docstring."""
        return (self.check.__doc__ or "").strip().splitlines()[0]


def rule(name: str, grade: Grade) -> Callable[[Check], Rule]:
    """Make a rule of a function, whose docstring's first line is its summary."""
    return lambda check: Rule(name, grade, check)
