"""The simulator as a process: what it writes, what it keeps, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from omni_gateway.simulator.limits import limits
from omni_gateway.simulator.server import Simulator
from tests.simulator.caller import Caller

pytestmark = pytest.mark.slow


@contextmanager
def simulator(directory: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Caller]]:
    """Run one in a directory until the block ends."""
    ready = directory / "ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-X", "faulthandler", "-m", "omni_gateway.simulator"]
    command += ["--listen", "127.0.0.1:0", "--fleet", "2"]
    command += ["--ready-file", str(ready), "--key-file", str(directory / "key"), *options]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        address = _wait_for(ready, process)
        with grpc.insecure_channel(address) as channel:
            yield process, Caller(channel, (directory / "key").read_text().strip())
    finally:
        process.terminate()
        _end(process, directory / "log")


def _end(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for it; one that does not end is made to say where each thread stands, in the failure's text."""
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait(60)
        raise AssertionError(f"the simulator did not end:\n{log.read_text()}") from None


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            return ready.read_text().split()[0]
        time.sleep(0.02)
    raise AssertionError(f"not ready; exit code {process.poll()}")


def test_it_serves_a_fleet_says_what_it_is_and_ends_cleanly(tmp_path: Path) -> None:
    with simulator(tmp_path) as (process, admin):
        assert len(admin.ids("MachineStatuses")) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    log = (tmp_path / "log").read_text()
    assert "simulator of Omni" in log
    assert all(limit in log for limit in limits())


def test_its_admin_key_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    with simulator(tmp_path) as (_, admin):
        key = admin.get("CurrentUsers", "current", namespace="virtual")

    assert key["spec"]["role"] == "Admin"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "key").read_text().strip() not in (tmp_path / "log").read_text()


def test_state_and_key_survive_a_kill(tmp_path: Path) -> None:
    database = ("--db", str(tmp_path / "state.sqlite"))
    with simulator(tmp_path, *database) as (process, admin):
        admin.create("ConfigPatches", "kept", {"data": "machine: {}"})
        process.kill()
        process.wait(60)
    key = (tmp_path / "key").read_text()

    with simulator(tmp_path, *database) as (_, admin):
        assert admin.get("ConfigPatches", "kept")["metadata"]["version"] == 1
        assert len(admin.ids("MachineStatuses")) == 2
        assert (tmp_path / "key").read_text() == key


def test_a_key_that_was_lost_is_made_again(tmp_path: Path) -> None:
    database = ("--db", str(tmp_path / "state.sqlite"))
    with simulator(tmp_path, *database):
        pass
    (tmp_path / "key").write_text("damaged")

    with simulator(tmp_path, *database) as (_, admin):
        assert admin.list("Clusters") == ([], 0)


def test_a_key_goes_on_opening_a_simulator_that_remembers_nothing(tmp_path: Path) -> None:
    with simulator(tmp_path):
        key = (tmp_path / "key").read_text()

    with simulator(tmp_path) as (_, admin):
        assert admin.list("Clusters") == ([], 0)
        assert (tmp_path / "key").read_text() == key


def test_an_address_that_is_taken_is_an_error_in_words(tmp_path: Path) -> None:
    with simulator(tmp_path):
        address = (tmp_path / "ready").read_text().strip()
        second = Simulator()
        with pytest.raises(OSError, match=address):
            second.start(address)
        second.stop()


@pytest.mark.parametrize("options", [["--fleet", "-1"], ["--speed", "0"], ["--fleet", "many"], ["--colour", "red"]])
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "omni_gateway.simulator", *options]

    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
