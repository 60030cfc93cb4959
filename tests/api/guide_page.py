"""The code of a page of the guide: its Python blocks, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[2] / "docs" / "plugins"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
#: A block that is another file: its first line is a comment with the name.
FILE = re.compile(r"^```(?:html|js)\n(?:<!--|//) (\S+)(?: -->)?\n(.*?)^```$", flags=re.M | re.S)


def names_of(page: str, folder: Path) -> dict[str, Any]:
    """Return what the blocks of a page define, run as a module in ``folder``, beside the files that the page has.

    A traceback names the page and the line in it.
    """
    source = PAGES / page
    text = source.read_text()
    for file in FILE.finditer(text):
        (folder / file[1]).parent.mkdir(exist_ok=True)
        (folder / file[1]).write_text(file[2])
    names: dict[str, Any] = {"__name__": source.stem, "__file__": str(folder / "plugin.py")}
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block[1], str(source), "exec"), names)
    return names
