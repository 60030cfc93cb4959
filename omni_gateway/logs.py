"""The gateway's log: what looks like a credential in a line, whoever wrote it there, reads ``***``.

Our own lines hold none; gunicorn's repeat what callers send: each path at the level DEBUG, and whatever is no HTTP.
"""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from omni_gateway.redaction.credentials import masked


class MaskingFormatter(logging.Formatter):
    """Another formatter's lines, tracebacks included, without what looks like a credential."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return masked(self._inner.format(record))


def mask(log: logging.Logger) -> None:
    """Mask what the handlers of a logger write."""
    for handler in log.handlers:
        if not isinstance(handler.formatter, MaskingFormatter):
            handler.setFormatter(MaskingFormatter(handler.formatter))


class MaskedLogger(Logger):  # type: ignore[misc]
    """gunicorn's log."""

    def setup(self, cfg: Any) -> None:
        """Set the log up as gunicorn does, then mask it."""
        super().setup(cfg)
        mask(self.error_log)
