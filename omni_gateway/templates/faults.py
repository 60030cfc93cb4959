"""What is wrong with a cluster template, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a template.

    ``document`` is the place of the document in the template, from zero; ``line`` is its line in the text, from one, or
    None where there is no text (the JSON form); ``field`` is a path such as ``patches.0.name``, or empty for the
    document itself.
    """

    document: int
    line: int | None
    field: str
    message: str


class TemplateFaults(ValueError):
    """A template is not valid; ``faults`` has all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"document {each.document}, {each.field}: {each.message}" for each in faults))
        self.faults = list(faults)
