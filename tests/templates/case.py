"""A template, and what omnictl made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

#: One line for each template, in JSON; `python -m tests.templates.capture` writes it.
CAPTURED = Path(__file__).parent / "data" / "captured.jsonl"


@dataclass(frozen=True, slots=True)
class Case:
    """A template: its name, its text and the texts of the files beside it."""

    name: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Captured:
    """A template, and the objects that omnictl rendered; None if omnictl refused it."""

    case: Case
    resources: list[dict[str, Any]] | None


def write(captured: list[Captured]) -> None:
    """Replace the file of what was captured."""
    CAPTURED.write_bytes(b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in captured))


def read() -> Iterator[Captured]:
    """Yield what was captured."""
    for line in CAPTURED.read_bytes().splitlines():
        found = orjson.loads(line)
        yield Captured(Case(**found["case"]), found["resources"])
