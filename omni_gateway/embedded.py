"""Start the embedded Omni as a process of its own, and see that it ends with this one."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class EmbeddedOmniError(RuntimeError):
    """The embedded Omni did not start; the text says why."""


@dataclass
class EmbeddedOmni:
    """A running simulator: where it listens and the admin key that it made."""

    process: subprocess.Popen[bytes]
    endpoint: str
    key: str

    def stop(self) -> None:
        """End the process; it has no more to do than to close its database."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(state_dir: Path, *, fleet: int, listen: str = "127.0.0.1:0") -> EmbeddedOmni:
    """Start the simulator and wait until it serves; :class:`EmbeddedOmniError` when it does not.

    Its database and its admin key (mode 0600) are kept in ``state_dir``, so clusters outlive a restart.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ready, key_file = state_dir / "simulator.ready", state_dir / "simulator.key"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "omni_gateway.simulator", "--listen", listen, "--fleet", str(fleet)]
    command += ["--db", str(state_dir / "simulator.sqlite"), "--key-file", str(key_file), "--ready-file", str(ready)]
    # A session of its own, for Ctrl-C reaches the whole foreground group and requests in flight still need Omni.
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509, S603
    omni = EmbeddedOmni(process, "", "")
    atexit.register(_stop_in_parent, omni, os.getpid())
    omni.endpoint = f"http://{_wait_for(ready, process)}"
    omni.key = key_file.read_text().strip()
    log.info("no OMNI_ENDPOINT: serving the embedded Omni (a simulator), %d machines, kept in %s", fleet, state_dir)
    return omni


@cache
def limits() -> tuple[str, ...]:
    """Return what the embedded Omni does not do, a line for each: its own list, read as a file, for it is no import."""
    return tuple((Path(__file__).parent / "simulator" / "data" / "limits.txt").read_text("utf-8").splitlines())


def _stop_in_parent(omni: EmbeddedOmni, parent: int) -> None:
    """Stop it from the process that started it only: a forked worker runs the same exit handlers."""
    if os.getpid() == parent:
        omni.stop()


def _end_with_parent() -> None:
    """Ask Linux to end the child when its parent dies, however that happens; elsewhere the exit handler has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedOmniError(
                f"the embedded Omni ended at once with code {process.returncode}; see its log above"
            )
        if ready.exists() and (text := ready.read_text().strip()):
            return text
        time.sleep(0.02)
    process.terminate()
    raise EmbeddedOmniError(f"the embedded Omni was not ready within {START_SECONDS:.0f} s")
