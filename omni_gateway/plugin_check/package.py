"""The distribution that plugins are in, as the rules look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

#: The distribution of the gateway and of its built-in plugins.
OWN_DISTRIBUTION = "omni-gateway"


@dataclass(frozen=True)
class Package:
    """A distribution.

    :param requires: its requirements (PEP 508).
    :param readme: the text of its README.
    :param entry_points: all its entry points.
    :param project: the folder of its source, with tests and pages; None if only what is installed is there.
    :param wheel: the SHA-256 of the wheel that it was read from; empty if it was not.
    """

    name: str
    version: str
    licence: str = ""
    requires: Sequence[str] = ()
    readme: str = ""
    entry_points: Sequence[EntryPoint] = ()
    project: Path | None = None
    wheel: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
