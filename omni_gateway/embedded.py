"""The embedded Omni: a simulator in a child process, which ends with this process."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOCK_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1


class EmbeddedOmniError(RuntimeError):
    """The embedded Omni did not start; the text is the reason."""


@dataclass
class EmbeddedOmni:
    """A running simulator, its endpoint URL and the admin key that it created."""

    process: subprocess.Popen[bytes]
    endpoint: str
    key: str

    def stop(self) -> None:
        """Terminate the process; kill it if it does not end within ``STOP_SECONDS``."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(state_dir: Path, *, fleet: int, listen: str = "127.0.0.1:0") -> EmbeddedOmni:
    """Start the simulator and wait until it serves; raise :class:`EmbeddedOmniError` if it does not.

    Its database and its admin key (mode 0600) are in ``state_dir``, so its clusters survive a restart.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ready, key_file = state_dir / "simulator.ready", state_dir / "simulator.key"
    command = [sys.executable, "-m", "omni_gateway.simulator", "--listen", listen, "--fleet", str(fleet)]
    command += ["--db", str(state_dir / "simulator.sqlite"), "--key-file", str(key_file), "--ready-file", str(ready)]
    # Its own lines about its start are for those who start it alone.
    command += ["--log-level", "debug" if log.isEnabledFor(logging.DEBUG) else "warning"]
    with _locked(state_dir) as lock:
        ready.unlink(missing_ok=True)
        # In a session of its own: Ctrl-C signals the whole foreground group, and requests in flight still need Omni.
        process = subprocess.Popen(  # noqa: S603
            command,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509
            pass_fds=[lock.fileno()],
        )
    omni = EmbeddedOmni(process, "", "")
    atexit.register(_stop_in_parent, omni, os.getpid())
    omni.endpoint = f"http://{_wait_for(ready, process)}"
    omni.key = key_file.read_text().strip()
    return omni


def _locked(state_dir: Path) -> IO[bytes]:
    """Return the state directory's lock file, locked: two simulators would overwrite each other's database.

    The simulator inherits the lock and holds it for as long as it runs. One that ends with its gateway takes a moment.
    """
    file = (state_dir / "simulator.lock").open("ab")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            file.close()
            raise EmbeddedOmniError(
                f"another gateway with an embedded Omni uses the state directory {str(state_dir)!r}."
                " Stop that one, or name another directory with OMNI_GATEWAY_STATE_DIR=PATH"
            ) from error
        return file


@cache
def limits() -> tuple[str, ...]:
    """Return the limits of the embedded Omni, a line each; read from its file, for the simulator is never imported."""
    return tuple((Path(__file__).parent / "simulator" / "data" / "limits.txt").read_text("utf-8").splitlines())


def _stop_in_parent(omni: EmbeddedOmni, parent: int) -> None:
    """Stop it, but only in the process that started it: forked workers run the same exit handlers."""
    if os.getpid() == parent:
        omni.stop()


def _end_with_parent() -> None:
    """Have Linux send SIGTERM to the child when its parent dies; elsewhere only the exit handler stops it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedOmniError(
                f"the embedded Omni ended at once with code {process.returncode}; the line above says why"
            )
        if ready.exists() and (text := ready.read_text().strip()):
            return text
        time.sleep(0.02)
    process.terminate()
    raise EmbeddedOmniError(f"the embedded Omni was not ready within {START_SECONDS:.0f} s")
