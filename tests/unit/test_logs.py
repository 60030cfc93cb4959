"""The log: one line a record, as JSON or as text, in which no value forges another line and no credential is shown."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from omni_gateway import logs

FORGED = 'x\n2026-01-01T00:00:00.000000Z INFO    forged: line\r\x1b[31m\u2028"}'
SECRET = "ogw_" + "Ab1" * 14


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line_of(formatter: logging.Formatter, message: str, *args: Any, extra: Any = None, **options: Any) -> str:
    logger = logging.Logger("some.library")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.warning(message, *args, extra=extra, **options)
    return stream.getvalue()


def failure(text: str) -> Any:
    try:
        raise ValueError(text)
    except ValueError:
        return sys.exc_info()


def test_a_record_of_any_library_is_an_object_of_json() -> None:
    line = line_of(logs.JsonFormatter(), "%d files", 3)
    document = json.loads(line)
    assert (document["level"], document["logger"], document["event"]) == ("WARNING", "some.library", "3 files")
    assert document["timestamp"].endswith("Z")
    assert line.count("\n") == 1


def test_fields_of_the_record_and_of_its_context_are_members() -> None:
    token = logs.context_fields.set({"request_id": "abc"})
    try:
        line = line_of(logs.JsonFormatter(), "GET", extra=logs.with_fields({"http.response.status_code": 200}))
    finally:
        logs.context_fields.reset(token)
    document = json.loads(line)
    assert (document["request_id"], document["http.response.status_code"]) == ("abc", 200)


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TextFormatter(colored=False)])
def test_a_value_begins_no_line_of_its_own(formatter: logging.Formatter) -> None:
    for line in (
        line_of(formatter, "name %s", FORGED),
        line_of(formatter, "GET", extra=logs.with_fields({"user.name": FORGED})),
    ):
        assert len(line.rstrip("\n").splitlines()) == 1
        assert "\x1b" not in line


def test_lines_of_a_traceback_are_indented_and_have_no_control_characters() -> None:
    first, *others = line_of(logs.TextFormatter(colored=False), "failed", exc_info=failure(FORGED)).splitlines()
    assert first.endswith("some.library: failed")
    assert "ValueError: x" in "\n".join(others)
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in "".join(others)


def test_a_traceback_is_in_the_line_of_its_record() -> None:
    document = json.loads(line_of(logs.JsonFormatter(), "failed", exc_info=failure("a\ud800b")))
    assert document["exception.type"] == "ValueError"
    assert "Traceback" in document["exception.stacktrace"]


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TextFormatter(colored=False)])
def test_credentials_are_masked(formatter: logging.Formatter) -> None:
    line = line_of(formatter, "got %s", SECRET, exc_info=failure(SECRET))
    assert SECRET not in line
    assert line.count("***") >= 2


@pytest.fixture
def form() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        yield patch


@pytest.mark.parametrize(
    ("chosen", "stream", "begins", "colored"),
    [
        ("auto", Terminal(), "\x1b[33m2", True),
        ("auto", io.StringIO(), "{", False),
        ("text", io.StringIO(), "2", False),
        ("json", Terminal(), "{", False),
    ],
)
def test_by_itself_the_log_is_text_on_a_terminal_only_and_colored_there_only(
    form: pytest.MonkeyPatch, chosen: str, stream: io.StringIO, begins: str, colored: bool
) -> None:
    form.setattr(logs, "_form", chosen)
    line = line_of(logs.formatter(stream), "full")
    assert line.startswith(begins)
    assert ("\x1b" in line) is colored
