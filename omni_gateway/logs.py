"""The process's log: each record, of libraries too, is one line of JSON, or a line of text for people.

Everything in a line that looks like a credential is replaced by ``***``; control characters are escaped, so that no
value of a caller's begins a line of its own. Names of fields are those of OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, TextIO

import orjson
from gunicorn.glogging import Logger

from omni_gateway.redaction.credentials import masked

#: The logger of the lines for requests.
ACCESS = "omni_gateway.server.access_log"
Form = Literal["auto", "json", "text"]

#: Fields that every record of this context gets: the ids of the request that is being served.
context_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_context_fields", default=MappingProxyType({}))

#: C0 and C1 control characters and Unicode's line ends; a traceback's own line ends stay.
_CONTROLS = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
} | {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_CONTROLS_BUT_NEWLINE = {code: text for code, text in _CONTROLS.items() if code != ord("\n")}
#: Those that JSON may have as they are, but terminals and readers of lines take for more than characters.
_CONTROLS_IN_JSON = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
_COLORS = {"DEBUG": "\033[2m", "WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31;1m"}
_RESET = "\033[0m"

#: Attributes of a record of ours.
_FIELDS, _IN_MESSAGE = "omni_gateway_fields", "omni_gateway_in_message"

_form: Form = "auto"


def with_fields(fields: Mapping[str, Any], in_message: Collection[str] = ()) -> dict[str, Any]:
    """Return ``extra`` for a record with fields; a line for people leaves out those that its message has already.

    Such a record is not masked: neither its message nor its fields may have a text of the caller's.
    """
    return {_FIELDS: fields, _IN_MESSAGE: in_message}


class JsonFormatter(logging.Formatter):
    """Formats a record as an object of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "event": _event(record),
            "process.pid": record.process,
        }
        fields.update(context_fields.get())
        fields.update(getattr(record, _FIELDS, ()))
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception.type"] = record.exc_info[0].__qualname__
            fields["exception.stacktrace"] = masked(self.formatException(record.exc_info))
        elif record.stack_info:
            fields["exception.stacktrace"] = masked(self.formatStack(record.stack_info))
        line = orjson.dumps(fields, default=str).decode()
        return line if line.isascii() else line.translate(_CONTROLS_IN_JSON)

    def formatException(self, ei: Any) -> str:
        """Return the traceback as text that is valid Unicode, which JSON requires."""
        return _unicode(super().formatException(ei))


class TextFormatter(logging.Formatter):
    """Formats a record as a line for people; the lines of a traceback below it are indented."""

    def __init__(self, *, colored: bool) -> None:
        super().__init__()
        self._colored = colored

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback."""
        fields = {**context_fields.get(), **getattr(record, _FIELDS, {})}
        shown = [name for name in fields if name not in getattr(record, _IN_MESSAGE, ())]
        more = " ".join(f"{name}={fields[name]}" for name in shown)
        line = f"{timestamp(record.created)} {record.levelname:<7} {record.name}: {_event(record)}"
        line = (f"{line} {more}" if more else line).translate(_CONTROLS)
        if self._colored and (color := _COLORS.get(record.levelname)):
            line = f"{color}{line}{_RESET}"
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        if not trace and record.stack_info:
            trace = self.formatStack(record.stack_info)
        if trace:
            trace = _unicode(masked(trace)).translate(_CONTROLS_BUT_NEWLINE)
            line += "".join(f"\n    {each}" for each in trace.split("\n"))
        return line


def timestamp(seconds: float) -> str:
    """Return a time (seconds since 1970) as RFC 3339 in UTC, to the microsecond."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1e6):06d}Z"


@lru_cache(2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _event(record: logging.LogRecord) -> str:
    """Return a record's message; that of a record with fields is ours, and is not masked again."""
    message = _unicode(record.getMessage())
    return message if hasattr(record, _FIELDS) else masked(message)


def _unicode(text: str) -> str:
    """Return a text without lone surrogates, which cannot be encoded."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def formatter(stream: TextIO | None) -> logging.Formatter:
    """Return a formatter for a stream in the configured form; by itself text on a terminal and JSON anywhere else."""
    terminal = stream is not None and stream.isatty()
    if _form == "json" or (_form == "auto" and not terminal):
        return JsonFormatter()
    return TextFormatter(colored=terminal and "NO_COLOR" not in os.environ)


def configure(level: str, form: Form, *, access: bool) -> None:
    """Send the records of all loggers to standard error in this form, unless the root logger has handlers already.

    ``access``: with a line for each request.
    """
    global _form  # noqa: PLW0603 (the log is the process's)
    _form = form
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(formatter(sys.stderr))
        root.addHandler(handler)
        root.setLevel(level)
    logging.captureWarnings(True)
    logging.getLogger(ACCESS).disabled = not access
    if level != "DEBUG":
        logging.getLogger("alembic").setLevel(logging.WARNING)  # at INFO it names its plugins and contexts


#: Messages of gunicorn's start, at INFO; `omni_gateway.server.start_summary` shows what of them concerns an operator.
_STARTING = frozenset(
    {"Starting gunicorn %s", "Listening at: %s (%s)", "Using worker: %s", "Booting worker with pid: %s"}
)


class GunicornLogger(Logger):  # type: ignore[misc]
    """gunicorn's log in the form of all others; the messages of its start are logged at DEBUG."""

    def setup(self, cfg: Any) -> None:
        """Set the log up as gunicorn does, then format its error log, also where the operator configured that log."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(getattr(handler, "stream", None)))

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a message at INFO, or at DEBUG if it is one of gunicorn's start."""
        level = logging.DEBUG if msg in _STARTING else logging.INFO
        self.error_log.log(level, msg, *args, **kwargs)
