"""The code of a page of the guide: its Python blocks, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[2] / "docs" / "plugins"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)


def names_of(page: str) -> dict[str, Any]:
    """Return what the blocks of a page define; a traceback names the page and the line in it."""
    file = PAGES / page
    text = file.read_text()
    names: dict[str, Any] = {"__name__": file.stem}
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block[1], str(file), "exec"), names)
    return names
