"""The deliberate limits of the simulator, in short; the long form is docs/simulator.md."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def limits() -> tuple[str, ...]:
    """Return a line for each; the gateway reads the same file for its health document."""
    return tuple(files(__package__).joinpath("data", "limits.txt").read_text(encoding="utf-8").splitlines())
