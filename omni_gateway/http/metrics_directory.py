"""The directory of the metrics that all workers of a master share; prepared before prometheus_client is imported.

Each process writes files of its own, ``counter_<pid>.db`` and so on. The library never removes those of counts, so a
gateway whose workers are replaced again and again would read more of them at each scrape. Here a dead worker's counts
are added to one file of all dead workers, under a lock that readers share: read in between, a counter would seem to
fall, which Prometheus takes for a restart.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: The kinds of files that :func:`merge_ended` merges: gauges of live processes are removed by the library.
_MERGED = ("counter", "histogram", "gauge_mostrecent")
#: In the place of the process id, in the names of the files of all dead workers.
_ENDED = "0"
_LOCK = "lock"
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


@contextmanager
def shared() -> Iterator[None]:
    """Keep :func:`merge_ended` from changing files while they are read."""
    with _locked(fcntl.LOCK_SH):
        yield


def merge_ended(pid: int) -> None:
    """Add the counts of a dead process to the files of all dead ones, and remove its files."""
    from prometheus_client.mmap_dict import MmapedDict

    folder = Path(os.environ[VARIABLE])
    with _locked(fcntl.LOCK_EX):
        for kind in _MERGED:
            file = folder / f"{kind}_{pid}.db"
            if not file.exists():
                continue
            ended = MmapedDict(str(folder / f"{kind}_{_ENDED}.db"))  # type: ignore[no-untyped-call]
            for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
                known, known_at = ended.read_value(key)  # type: ignore[no-untyped-call]
                if kind != "gauge_mostrecent":
                    ended.write_value(key, known + value, 0.0)  # type: ignore[no-untyped-call]
                elif timestamp > known_at:
                    ended.write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
            ended.close()  # type: ignore[no-untyped-call]
            file.unlink()


@contextmanager
def _locked(how: int) -> Iterator[None]:
    with (Path(os.environ[VARIABLE]) / _LOCK).open("a") as lock:
        fcntl.flock(lock, how)
        yield
