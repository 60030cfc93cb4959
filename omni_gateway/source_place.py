"""A file and a line of source code, for messages about declarations."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = __package__ or "omni_gateway"


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """A file and a line in it; line 0 stands for the whole file."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        """Return ``package/module.py:12``, relative to the folder that the package is imported from."""
        path = Path(self.file)
        root = path.parent
        while (root / "__init__.py").exists():
            root = root.parent
        name = path.relative_to(root).as_posix()
        return f"{name}:{self.line}" if self.line else name


def place_of_caller() -> SourcePlace:
    """Return the nearest place on the stack that is outside of the gateway's own package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return SourcePlace(frame.f_code.co_filename, frame.f_lineno)


def _is_own(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def place_of_error(error: BaseException, module: str) -> SourcePlace | None:
    """Return where code of the top-level package of ``module`` raised an error, or called what raised it.

    None if no code of it ran.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return SourcePlace(error.filename, error.lineno or 0)
    top = module.split(".")[0]
    places = [
        SourcePlace(frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).split(".")[0] == top
    ]
    return places[-1] if places else None


def place_of_module(module: str) -> SourcePlace | None:
    """Return the file of a module; None if it has none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return SourcePlace(spec.origin) if spec is not None and spec.origin and spec.has_location else None
