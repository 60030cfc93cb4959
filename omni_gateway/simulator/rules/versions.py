"""Version numbers as rules compare them."""

from __future__ import annotations

import re

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

Minor = tuple[int, int]


def is_semver(text: str) -> bool:
    """Tell whether a text is a semantic version, without a ``v``."""
    return _SEMVER.fullmatch(text) is not None


def minor(text: str) -> Minor:
    """Return major and minor of a version, with or without a ``v``; (0, 0) of what is none."""
    found = _SEMVER.fullmatch(text.removeprefix("v"))
    return (int(found[1]), int(found[2])) if found else (0, 0)
