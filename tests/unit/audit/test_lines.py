"""Audit lines in a file: whole, for its owner alone, through a rotation, and never lost without a word."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_gateway.audit import lines
from omni_gateway.http.metrics import AUDITED

pytestmark = pytest.mark.slow

PROCESSES = 4
LINES = 300
WRITER = """
import sys
from pathlib import Path
from omni_gateway.audit import lines
lines.configure(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    lines.log.info("%s", '{"who": "' + sys.argv[3] * 3000 + '"}')
"""


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = lines.log.handlers[:], lines.log.level, lines.log.propagate
    lines.log.handlers[:] = []
    lines.log.propagate = True  # else pytest hands the logger handlers of its own
    yield
    lines.log.handlers[:], lines.log.level, lines.log.propagate = before


def test_lines_are_appended_to_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.touch(0o600)
    file.write_text("there already\n")
    lines.configure(file)
    lines.log.info("%s", "one")
    assert file.read_text() == "there already\none\n"
    new = tmp_path / "new.log"
    lines.configure(new)
    lines.log.info("%s", "two")
    assert (new.read_text(), new.stat().st_mode & 0o777) == ("two\n", 0o600)


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    lines.configure(file)
    lines.log.info("%s", "one")
    file.rename(tmp_path / "audit.log.1")
    lines.log.info("%s", "two")
    assert ((tmp_path / "audit.log.1").read_text(), file.read_text()) == ("one\n", "two\n")


def test_a_line_that_the_file_does_not_take_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    lines.configure(folder / "audit.log")
    lines.log.info("%s", "one")
    (folder / "audit.log").unlink()
    folder.rmdir()
    lines.log.info("%s", "two")
    lines.log.info("%s", "three")
    folder.mkdir()
    lines.log.info("%s", "four")
    assert capsys.readouterr().err == "two\nthree\n"
    assert (folder / "audit.log").read_text() == "four\n"


def test_a_file_is_made_by_its_first_line_only(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    lines.configure(file)
    assert not file.exists()
    lines.log.info("%s", "one")
    assert file.read_text() == "one\n"


def test_lines_go_to_the_last_file_that_was_set_and_the_others_are_closed(tmp_path: Path) -> None:
    lines.configure(tmp_path / "first.log")
    lines.log.info("%s", "one")
    (first,) = lines.log.handlers
    assert isinstance(first, logging.FileHandler)
    lines.configure(tmp_path / "second.log")
    lines.log.info("%s", "two")
    assert [(tmp_path / name).read_text() for name in ("first.log", "second.log")] == ["one\n", "two\n"]
    assert (len(lines.log.handlers), first.stream) == (1, None)


def test_lines_go_nowhere_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines.configure(tmp_path / "audit.log")
    lines.log.info("%s", "one")
    assert (lines.log.propagate, capsys.readouterr().err) == (False, "")


def test_a_line_that_a_device_does_not_take_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    before = AUDITED.labels("to-stderr")._value.get()
    lines.configure(Path("/dev/full"))
    lines.log.info("%s", "one")
    assert capsys.readouterr().err == "one\n"
    assert AUDITED.labels("to-stderr")._value.get() == before + 1


@pytest.mark.parametrize("there", [True, False])
def test_a_check_makes_the_file_for_its_owner_and_changes_nothing_in_it(tmp_path: Path, there: bool) -> None:
    file = tmp_path / "audit.log"
    if there:
        file.touch(0o600)
        file.write_text("there already\n")
    lines.check(file)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("there already\n" * there, 0o600)


def test_a_check_of_a_file_that_cannot_be_made_or_written_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lines.check(tmp_path / "nowhere" / "audit.log")
    with pytest.raises(IsADirectoryError):
        lines.check(tmp_path)


def test_a_check_of_a_file_that_can_only_be_read_raises(tmp_path: Path) -> None:
    """A program that runs can be written by no user, root included (ETXTBSY)."""
    program = Path(shutil.copy("/bin/cat", tmp_path))
    with subprocess.Popen([program], stdin=subprocess.PIPE), pytest.raises(OSError, match="busy"):
        lines.check(program)


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    command = [sys.executable, "-c", WRITER, str(file), str(LINES)]
    started = [subprocess.Popen([*command, letter], stdin=subprocess.PIPE, text=True) for letter in "abcd"[:PROCESSES]]
    for process in started:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in started] == [0] * PROCESSES
    written = [json.loads(line)["who"] for line in file.read_text().splitlines()]
    assert len(written) == PROCESSES * LINES
    assert {len(set(who)) for who in written} == {1}


LIMITED = """
import resource, sys
from pathlib import Path
from omni_gateway.audit import lines
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
lines.configure(Path(sys.argv[1]))
for letter in "abc":
    lines.log.info("%s", '{"who": "' + letter * 2000 + '"}')
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
lines.log.info("%s", '{"who": "d"}')
"""


def test_a_line_that_only_fits_in_part_is_whole_on_standard_error_and_the_file_goes_on(tmp_path: Path) -> None:
    """The system takes 981 bytes of the third line, then refuses the rest."""
    file = tmp_path / "audit.log"
    ended = subprocess.run([sys.executable, "-c", LIMITED, str(file)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert [json.loads(line)["who"][0] for line in file.read_text().splitlines()] == ["a", "b", "d"]
    assert json.loads(ended.stderr)["who"] == "c" * 2000


def test_a_line_that_is_taken_in_parts_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "audit.log"
    lines.configure(file)
    write = os.write
    monkeypatch.setattr("omni_gateway.audit.lines.os.write", lambda to, data: write(to, bytes(data)[:7]))
    lines.log.info("%s", "a line that is longer than seven bytes")
    lines.log.info("%s", "another")
    assert file.read_text() == "a line that is longer than seven bytes\nanother\n"


def test_handlers_that_an_operator_has_set_stay(tmp_path: Path) -> None:
    own = logging.NullHandler()
    lines.log.addHandler(own)
    lines.configure(None)
    assert lines.log.handlers == [own]


def test_an_info_line_is_written_whatever_the_level_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, root.level = root.level, logging.ERROR
    try:
        lines.configure(None)
        lines.log.info("%s", "one")
    finally:
        root.level = before
    assert capsys.readouterr().err == "one\n"
