"""Templates against omnictl: the same verdict, and the same objects in the same order."""

from __future__ import annotations

import pytest

from omni_gateway.templates import TemplateFaults, read, read_documents, render
from tests.templates.capture import resource_of, without_zeros
from tests.templates.case import Captured, read as captured

CAPTURED = list(captured())


def accepted(case: Captured) -> bool:
    try:
        read(case.case.text, _files(case))
    except TemplateFaults:
        return False
    return True


def _files(each: Captured) -> dict[str, bytes]:
    return {name: text.encode() for name, text in each.case.files.items()}
