"""``omni-gateway serve``: what a newcomer sees of its start, and of a start that fails."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import free_port

COMMAND = [sys.executable, "-m", "omni_gateway.cli"]
LINES = ("API", "Document", "Token", "Port", "Omni")
#: Without the settings of a gateway, and of the make that runs these tests.
KEPT = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI", "SIDERO", "MAKE", "MFLAGS"))}


def refused(folder: Path, *arguments: str, **settings: str) -> str:
    """Return the only line that a command which fails writes."""
    environ = KEPT | {"OMNI_GATEWAY_STATE_DIR": "state"} | settings
    ran = subprocess.run([*COMMAND, *arguments], env=environ, cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stdout == ""
    [line] = ran.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[list[str]]:
    """Serve an embedded Omni in a folder, and yield all that is written until the last of the five lines."""
    environ = KEPT | {"OMNI_GATEWAY_WORKERS": "1", "OMNI_GATEWAY_FLEET": "1"} | settings
    with subprocess.Popen([*COMMAND, "serve"], env=environ, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        written = []
        try:
            for line in process.stderr:
                written.append(line.rstrip("\n"))
                if line.lstrip().startswith(LINES[-1]):
                    break
            yield written
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    assert process.returncode == 0


def lines_of(written: list[str]) -> dict[str, str]:
    """Return the five lines at the end, by their names."""
    found = dict(line.split(maxsplit=1) for line in written[-5:])
    assert tuple(found) == LINES
    return found


def test_a_port_that_is_taken_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(tmp_path, "serve", "--bind", f"127.0.0.1:{port}")
    assert "another program listens there already" in line
    assert f"OMNI_GATEWAY_BIND=127.0.0.1:{port + 1}" in line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"BIND": "8080"}, "must be like 127.0.0.1:8080"),
        ({"BIND": "192.0.2.7:8080"}, "not an address of this machine"),
        ({"BIND": "unix:file"}, "not a socket"),
        ({"STATE_DIR": "file/below"}, "name another with OMNI_GATEWAY_STATE_DIR"),
        ({"TLS_CERT_FILE": "file", "TLS_KEY_FILE": "file"}, "must be a PEM certificate and its key"),
        ({"THREADS": "many"}, "OMNI_GATEWAY_THREADS: Not a valid integer"),
    ],
)
def test_what_cannot_be_started_is_one_line_that_says_what_to_do(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    (tmp_path / "file").write_text("text")
    free = {"OMNI_GATEWAY_BIND": f"127.0.0.1:{free_port()}"}
    line = refused(tmp_path, "serve", **free | {f"OMNI_GATEWAY_{name}": value for name, value in settings.items()})
    assert words in line


def test_a_token_cannot_be_made_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    line = refused(tmp_path, "token", "create", "ci", OMNI_GATEWAY_STATE_DIR="file/below")
    assert "the state directory 'file/below' cannot be used" in line


@pytest.mark.slow
def test_a_start_ends_with_five_lines_and_the_first_shows_a_token(tmp_path: Path) -> None:
    bind = f"127.0.0.1:{free_port()}"
    with started(tmp_path, OMNI_GATEWAY_BIND=bind, OMNI_GATEWAY_THREAD="4") as written:
        first = lines_of(written)
        token = re.search(r"export TOKEN=(ogw_\S+)", first["Token"])
        assert token is not None
        answer = httpx.get(f"{first['API']}/machines", headers={"Authorization": f"Bearer {token[1]}"}, timeout=30)
        page = httpx.get(first["Document"].split()[0], timeout=30)
        beside = refused_beside(tmp_path)
    assert re.search(r"another gateway uses the state directory '.*/\.omni-gateway' \(process \d+\)", beside)
    assert "Warning: OMNI_GATEWAY_THREAD is not a setting; did you mean OMNI_GATEWAY_THREADS?" in written
    assert first["API"] == f"http://{bind}/api/v1"
    assert answer.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "a simulator, 1 machines: no real Omni" in first["Omni"]
    assert not [line for line in written if "alembic" in line or "INFO" in line]

    with started(tmp_path, OMNI_GATEWAY_BIND=bind) as written:
        second = lines_of(written)
    assert "ogw_" not in second["Token"]
    assert "omni-gateway token create NAME --role admin" in second["Token"]


def refused_beside(folder: Path) -> str:
    """Return the last line of a second gateway's start in the same folder, at another port."""
    environ = KEPT | {"OMNI_GATEWAY_BIND": f"127.0.0.1:{free_port()}"}
    ran = subprocess.run([*COMMAND, "serve"], env=environ, cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    return ran.stderr.splitlines()[-1]


ROOT = Path(__file__).parents[2]
#: Pythons that fail at one thing, as shell scripts: `$1` is the option, `$2` the code.
TOO_OLD = 'case "$1$2" in -V) echo Python 3.9.2;; *version_info*) exit 1;; esac'
WITHOUT_VENV = 'case "$2" in *venv*) exit 1;; esac'


def make_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``make run`` in a folder that has what a clone has and no virtual environment."""
    for name in ("Makefile", "setup.cfg", "constraints.txt", "pyproject.toml"):
        (folder / name).write_text((ROOT / name).read_text())
    return subprocess.run(["make", "run", *arguments], env=KEPT, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (TOO_OLD, "is Python 3.9.2; this needs Python 3.11 or newer"),
        (WITHOUT_VENV, "has no module venv. On Debian and Ubuntu: apt install python3-venv"),
        (None, "There is no ./python. Install Python 3.11 or newer"),
    ],
)
def test_make_run_says_which_python_it_needs(tmp_path: Path, script: str | None, words: str) -> None:
    if script is not None:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "python").chmod(0o755)
    ran = make_run(tmp_path, "PYTHON=./python")
    said = [line for line in ran.stderr.splitlines() if not line.startswith("make: ***")]
    assert ran.returncode != 0
    assert len(said) == 1
    assert words in said[0]


def test_make_run_installs_what_running_needs_and_no_tests(tmp_path: Path) -> None:
    planned = make_run(tmp_path, "--dry-run").stdout
    assert "pip install" in planned
    assert "-c constraints.txt -e ." in planned
    assert "[test" not in planned
