"""A PostgreSQL server of a test run's own, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

START_SECONDS = 60.0
#: PostgreSQL refuses to run as root.
UNPRIVILEGED = 65534


@dataclass
class PostgreSQL:
    """A server; only a socket in its folder leads to it."""

    folder: Path
    binaries: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it serves."""
        options = [
            "-D",
            str(self.folder / "data"),
            "-k",
            str(self.folder),
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
        ]
        with (self.folder / "log").open("ab") as log:
            command = [*_as_nobody(), str(self.binaries / "postgres"), *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        _wait(self, self.process)

    def stop(self) -> None:
        """End it, and the connections of its clients."""
        if self.process is not None:
            self.resume()
            self.process.send_signal(signal.SIGINT)  # SIGTERM would wait for its clients
            self.process.wait(60)
            self.process = None

    def pause(self) -> None:
        """Stop all of its processes: connections stay open, and are made, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)  # first, so that it starts no other meanwhile
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), number)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://gateway@/{database}?host={self.folder}"

    def create(self, database: str) -> str:
        """Make an empty database; return its URL."""
        self.run("createdb", "-h", str(self.folder), "-U", "gateway", database)
        return self.url(database)

    def ask(self, database: str, query: str) -> str:
        """Return what psql prints for a query."""
        return self.run("psql", "-h", str(self.folder), "-U", "gateway", "-At", "-c", query, database).strip()

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs to its end."""
        command = [*_as_nobody(), str(self.binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=self.folder, check=False)
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]


def binaries() -> Path | None:
    """Return where Debian keeps the newest PostgreSQL's programs, or where the path has them."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("postgres")
    return Path(found).parent if found else None


@contextmanager
def running_postgresql(binaries: Path, *, started: bool = True) -> Iterator[PostgreSQL]:
    """Start a server with a new cluster of databases in a folder of its own, and take all of it away at the end."""
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has at most 107 bytes
    if os.geteuid() == 0:
        os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
    server = PostgreSQL(folder, binaries)
    try:
        data = ["-D", str(folder / "data"), "-U", "gateway"]
        server.run("initdb", *data, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if started:
            server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: PostgreSQL, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        ready = [str(server.binaries / "pg_isready"), "-h", str(server.folder), "-U", "gateway", "-q"]
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not start:\n{(server.folder / 'log').read_text()}")
