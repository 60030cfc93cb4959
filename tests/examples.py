"""How many examples a property test tries."""

from __future__ import annotations

import os


def examples(usual: int, *, fuzz: int) -> int:
    """Return ``usual``, or ``fuzz`` in ``make fuzz``."""
    return fuzz if "FUZZ_EXAMPLES" in os.environ else usual
