"""Lines of Prometheus' text format, written once for each version of an object.

prometheus_client makes an object for each sample: with ten thousand machines that takes seconds of each scrape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from omni_gateway.omni.messages import enum


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name, type, help and the names of its labels."""

    name: str
    type: str
    text: str
    labels: Sequence[str] = ()

    @property
    def head(self) -> bytes:
        """Return its first two lines."""
        return f"# HELP {self.name} {self.text}\n# TYPE {self.name} {self.type}\n".encode()

    def line(self, value: float, *labels: str) -> str:
        """Return the line of one series."""
        if not labels:
            return f"{self.name} {value:g}\n"
        pairs = ",".join(f'{name}="{escaped(label)}"' for name, label in zip(self.labels, labels, strict=True))
        return f"{self.name}{{{pairs}}} {_number(value)}\n"

    def counts(self, counts: Mapping[tuple[str, ...], int]) -> str:
        """Return the lines of counted objects."""
        return "".join(self.line(number, *labels) for labels, number in sorted(counts.items()))

    def states(self, names: Mapping[int, str], current: int, *labels: str) -> str:
        """Return a line for each state of an enum, the value 1 for the current one; ``labels``: those before it."""
        known = names if current in names else {**names, current: str(current)}
        pairs = "".join(f'{name}="{escaped(label)}",' for name, label in zip(self.labels[:-1], labels, strict=True))
        head = f"{self.name}{{{pairs}{self.labels[-1]}="
        return "".join(f'{head}"{name}"}} {int(number == current)}\n' for number, name in known.items())


def written(families: Sequence[Family], lines: Iterable[Sequence[bytes]]) -> Iterator[bytes]:
    """Yield families with their lines, to be joined once: they may be tens of megabytes. Empty ones are left out.

    ``lines`` has for each object those of each family.
    """
    for family, column in zip(families, zip(*lines, strict=True), strict=False):
        if any(column):
            yield family.head
            yield from column


def escaped(text: str) -> str:
    """Return the value of a label as the format has it."""
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return text


def state_names(type: str, prefix: str = "") -> Mapping[int, str]:
    """Return the names of an enum's values in snake case, by number and in its order."""
    numbers = sorted((number, name.removeprefix(prefix)) for name, number in enum(type).items())
    return {number: _snake_case(name) for number, name in numbers}


def _snake_case(name: str) -> str:
    if name.isupper():
        return name.lower()
    return "".join(f"_{each.lower()}" if each.isupper() and at else each.lower() for at, each in enumerate(name))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
