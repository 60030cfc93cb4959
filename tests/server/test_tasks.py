"""Background tasks under gunicorn: begun after the fork, in each worker or in one; ended with it in bounded time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import Served, start_gateway

pytestmark = pytest.mark.slow

PLUGIN = """
import os, pathlib
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.extensions import Task, TaskContext

FOLDER = pathlib.Path(os.environ["TASKS_FOLDER"])


def note(task, event):
    (FOLDER / f"{task}-{os.getpid()}-{event}").touch()


def waiting(task):
    def run(context):
        note(task, "began")
        if context.wait(3600):
            note(task, "ended")

    return run


def stubborn(context):
    import time

    note("stubborn", "began")
    time.sleep(3600)


plugin = ServicePlugin(
    name="racks",
    tasks=[
        Task("each", waiting("each")),
        Task("one", waiting("one"), per="deployment"),
        Task("stubborn", stubborn),
    ],
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks").mkdir()
    return tmp_path / "tasks"


@pytest.fixture
def served(simulator: RunningSimulator, tmp_path: Path, folder: Path) -> Iterator[Served]:
    """A gateway of two workers with the plugin of a third party, which is installed where only it looks."""
    site = tmp_path / "site"
    info = site / "acme_racks-1.2.dist-info"
    info.mkdir(parents=True)
    (site / "acme_racks.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-racks\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[omni_gateway.resources]\nracks = acme_racks:plugin\n")
    environ = {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_WORKERS": "2",
        "PYTHONPATH": str(site),
        "TASKS_FOLDER": str(folder),
    }
    running = start_gateway(tmp_path, environ, ())
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait(30)


def pids(folder: Path, task: str, event: str) -> set[int]:
    return {int(each.name.split("-")[1]) for each in folder.glob(f"{task}-*-{event}")}


def test_tasks_run_in_workers_and_end_with_them_in_bounded_time(
    served: Served, folder: Path, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: len(pids(folder, "each", "began")) == len(pids(folder, "stubborn", "began")) == 2)
    workers = pids(folder, "each", "began")
    [holder] = wait_until(lambda: pids(folder, "one", "began"))
    assert served.process.pid not in workers
    assert holder in workers

    os.kill(served.process.pid, signal.SIGTERM)
    started = time.monotonic()
    served.process.wait(30)

    assert time.monotonic() - started < 20
    assert (pids(folder, "each", "ended"), pids(folder, "one", "ended")) == (workers, {holder})
    assert served.log is not None
    assert "task 'stubborn' of plugin 'racks' of acme-racks 1.2 has not ended within 5 s" in served.log.read_text()
