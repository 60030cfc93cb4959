"""Output of audit lines: to standard error, or to a file that all workers append to and that may be rotated.

A line is one ``write`` of at most 4 KiB, so lines of several workers do not interleave, not even in a pipe (POSIX:
PIPE_BUF). After a partial write (a full disk or quota) the rest is appended, under a lock that all workers take; if
that fails, the file is truncated to its former size, and the whole line goes to standard error.
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
    """A handler for the current ``sys.stderr``, which may be another one than when the handler was made."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _LineFile:
    """A file that whole lines are appended to, or nothing; it has the methods of ``io`` that a stream handler uses."""

    def __init__(self, file: int) -> None:
        self._file = file

    def fileno(self) -> int:
        """Return the descriptor; the handler compares its inode with the path's to detect a rotation."""
        return self._file

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def write(self, text: str) -> int:
        """Append a text; raise ``OSError`` if not all of it can be written, after removing the part that was."""
        remaining = memoryview(text.encode())
        with self._locked():
            before = os.fstat(self._file).st_size
            try:
                while remaining:
                    remaining = remaining[os.write(self._file, remaining) :]
            except OSError:
                with suppress(OSError):  # not a regular file: nothing to truncate
                    os.ftruncate(self._file, before)
                raise
        return len(text)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the file against other workers; without locks (some file systems) only partial writes may interleave."""
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)


class _AuditFile(WatchedFileHandler):
    """Appends to a file (mode 0600); lines that cannot be written there go to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True)

    def _open(self) -> Any:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return _LineFile(os.open(self.baseFilename, flags, MODE))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, to standard error if the file cannot be written."""
        try:
            super().emit(record)
        except OSError:  # the base class reopens a rotated file outside of its own `try`
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        AUDITED.labels("to-stderr").inc()
        _StandardError().handle(record)


def configure(path: Path | None) -> None:
    """Send this process's audit lines to ``path``; None: to standard error, unless the operator has set handlers."""
    own = [handler for handler in log.handlers if isinstance(handler, (_StandardError, _AuditFile))]
    if path is None and len(own) < len(log.handlers):
        return
    for handler in own:
        log.removeHandler(handler)
        handler.close()
    log.addHandler(_AuditFile(path) if path else _StandardError())
    log.setLevel(logging.INFO)
    log.propagate = False


def append(path: Path, line: str) -> None:
    """Append one line to a file of audit lines; to standard error if that cannot be written."""
    handler = _AuditFile(path)
    handler.emit(logging.makeLogRecord({"msg": "%s", "args": (line,)}))
    handler.close()


def check(path: Path) -> None:
    """Open the file for appending and close it; create it if it is missing. Raises ``OSError``."""
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE))
