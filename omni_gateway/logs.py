"""The gateway's log: everything in a line that looks like a credential is replaced by ``***``.

The gateway's own lines have none; gunicorn's quote callers: every path at the level DEBUG, and malformed requests.
"""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from omni_gateway.redaction.credentials import masked


class MaskingFormatter(logging.Formatter):
    """Masks credentials in another formatter's lines, tracebacks included."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the other formatter's line, masked."""
        return masked(self._inner.format(record))


def mask(log: logging.Logger) -> None:
    """Wrap the formatters of a logger's handlers; does nothing for those that are wrapped already."""
    for handler in log.handlers:
        if not isinstance(handler.formatter, MaskingFormatter):
            handler.setFormatter(MaskingFormatter(handler.formatter))


#: Messages of gunicorn's start, at INFO; `omni_gateway.start_summary` shows what of them concerns an operator.
_STARTING = frozenset(
    {"Starting gunicorn %s", "Listening at: %s (%s)", "Using worker: %s", "Booting worker with pid: %s"}
)


class MaskedLogger(Logger):  # type: ignore[misc]
    """gunicorn's log; the messages of its start are logged at DEBUG."""

    def setup(self, cfg: Any) -> None:
        """Set the log up as gunicorn does, then mask its error log."""
        super().setup(cfg)
        mask(self.error_log)

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a message at INFO, or at DEBUG if it is one of gunicorn's start."""
        level = logging.DEBUG if msg in _STARTING else logging.INFO
        self.error_log.log(level, msg, *args, **kwargs)
