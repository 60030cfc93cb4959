"""The directory of the metrics that all workers of a master share; prepared before prometheus_client is imported."""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "omni-gateway-metrics-"


def prepare() -> None:
    """Create the directory and set the variable, unless the operator has; an exit handler removes it.

    prometheus_client reads the variable once, when it is imported. A directory of another master (the one that this one
    replaces after SIGUSR2) is removed by that master, so a new one is created.
    """
    given = os.environ.get(VARIABLE, "")
    own = f"{_PREFIX}{os.getpid()}-"
    name = Path(given).name
    if given and (name.startswith(own) or not name.startswith(_PREFIX)):
        return
    folder = os.environ[VARIABLE] = mkdtemp(prefix=own)
    atexit.register(_remove, folder, os.getpid())


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker runs the same exit handlers
        shutil.rmtree(folder, ignore_errors=True)
