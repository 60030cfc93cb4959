"""Where audit lines go: standard error, or a file that workers append to and that may be rotated under them.

A line is one ``write`` of less than 4 KiB: lines of several workers never mix, not even in a pipe (POSIX: PIPE_BUF).
Where a file takes only a part of one (a disk or quota that is full), the rest is written behind it, under a lock that
all workers take; where that fails, the part is cut off again, and the whole line goes to standard error.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, TextIO

from omni_gateway.http.metrics import AUDITED

log = logging.getLogger("omni_gateway.audit")
MODE = 0o600


class _StandardError(logging.StreamHandler[TextIO]):
    """What ``sys.stderr`` is now, whatever it was when the handler was made."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _LineFile:
    """A file descriptor that takes whole lines or none; what of ``io`` a stream handler uses."""

    def __init__(self, file: int) -> None:
        self._file = file

    def fileno(self) -> int:
        """Return the descriptor, whose inode tells whether the file has been rotated."""
        return self._file

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def write(self, text: str) -> int:
        """Append all of a text; ``OSError`` where that cannot be done, and then nothing of it stays."""
        left = memoryview(text.encode())
        with self._locked():
            before = os.fstat(self._file).st_size
            try:
                while left:
                    left = left[os.write(self._file, left) :]
            except OSError:
                with suppress(OSError):  # it is no regular file
                    os.ftruncate(self._file, before)
                raise
        return len(text)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other workers' lines out; on a file system without locks, a line that fits is whole all the same."""
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)


class _AuditFile(WatchedFileHandler):
    """Appends to a file for its owner alone; what cannot be written there goes to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def _open(self) -> Any:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return _LineFile(os.open(self.baseFilename, flags, MODE))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; one that cannot be written is not lost."""
        try:
            super().emit(record)
        except OSError:  # the base class looks for a rotated file outside of its own net
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        AUDITED.labels("to-stderr").inc()
        _StandardError().handle(record)


def configure(path: Path | None) -> None:
    """Send this process's audit lines to ``path``, or else to standard error, unless an operator has set handlers."""
    own = [handler for handler in log.handlers if isinstance(handler, (_StandardError, _AuditFile))]
    if path is None and len(own) < len(log.handlers):
        return
    for handler in own:
        log.removeHandler(handler)
        handler.close()
    log.addHandler(_AuditFile(path) if path else _StandardError())
    log.setLevel(logging.INFO)
    log.propagate = False


def check(path: Path) -> None:
    """Raise ``OSError`` when the file cannot be opened for appending; it is made if it is not there."""
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE))
