"""The directory through which the workers of one master count together; imported before anything that counts."""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "omni-gateway-metrics-"


def prepare() -> None:
    """Make the directory and name it in the environment, unless the operator has; it is removed with this process.

    prometheus_client looks for the variable once, when it is imported. A directory that another master made (one that
    this one takes over from, after SIGUSR2) ends with that one and is replaced.
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
