"""Where audit lines go: standard error, or a file that workers append to and that may be rotated under them.

A line is one ``write`` of less than 4 KiB: lines of several workers never mix, not even in a pipe (POSIX: PIPE_BUF).
"""

from __future__ import annotations

import io
import logging
import os
import sys
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


class _AuditFile(WatchedFileHandler):
    """Appends to a file for its owner alone; what cannot be written there goes to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True, encoding="utf-8")

    def _open(self) -> Any:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self.baseFilename, flags, MODE)
        return io.TextIOWrapper(io.FileIO(file, "a"), encoding="utf-8", write_through=True)

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
