"""Background tasks: called again and again, after errors too; ended with the worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.store import Store
from omni_gateway.tasks import PluginContext, Task, TaskContext, Tasks
from omni_gateway.tasks.lease import Lease

OMNI = OmniConfig(endpoint="http://127.0.0.1:1", service_account_key="")


@pytest.fixture
def started(new_store: Store) -> Iterator[Callable[..., Tasks]]:
    """Starts tasks as a worker does; they are stopped at the end."""
    made = []

    def start(*tasks: Task, settings: Any = None) -> Tasks:
        all_tasks = Tasks()
        context = PluginContext(OmniClient(OMNI), new_store, settings, None)
        for task in tasks:
            all_tasks.add(task, "racks", "plugin 'racks' of acme 1.2", context)
        all_tasks.start()
        made.append(all_tasks)
        return all_tasks

    yield start
    for each in made:
        each.stop()


def test_nothing_runs_before_the_start(new_store: Store) -> None:
    tasks = Tasks()
    before = threading.active_count()
    context = PluginContext(OmniClient(OMNI), new_store, None, None)
    tasks.add(Task("read", lambda context: None), "racks", "plugin 'racks'", context)
    assert threading.active_count() == before


@pytest.mark.parametrize("per", ["worker", "deployment"])
def test_a_task_is_called_again_with_the_settings_and_the_store(started: Callable[..., Tasks], per: Any) -> None:
    seen, thrice = [], threading.Event()

    def run(context: TaskContext) -> None:
        seen.append((context.settings, context.store.documents.list("racks"), context.stopping))
        if len(seen) == 3:
            thrice.set()

    started(Task("read", run, per=per, every=0.01), settings="the settings")
    assert thrice.wait(60)
    assert seen[:3] == [("the settings", [], False)] * 3


def test_an_error_is_logged_with_the_plugin_and_the_task_is_called_again(
    started: Callable[..., Tasks], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.tasks.runner.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("omni_gateway.tasks.runner.LONGEST_PAUSE_SECONDS", 0.02)
    calls, recovered = [], threading.Event()

    def run(context: TaskContext) -> None:
        calls.append(1)
        if len(calls) < 4:
            raise RuntimeError("no racks")
        recovered.set()

    with caplog.at_level(logging.ERROR):
        started(Task("read", run, every=3600))
        assert recovered.wait(60)
    logged = [(record.getMessage(), record.exc_info) for record in caplog.records]
    assert len(logged) == 3
    assert all(text.startswith("task 'read' of plugin 'racks' of acme 1.2 failed") for text, _ in logged)
    assert all(error and "no racks" in str(error[1]) for _, error in logged)


@pytest.mark.parametrize("per", ["worker", "deployment"])
def test_a_stop_ends_a_task_that_waits(started: Callable[..., Tasks], per: Any) -> None:
    running, ended = threading.Event(), threading.Event()

    def run(context: TaskContext) -> None:
        running.set()
        if context.wait(3600):
            ended.set()

    tasks = started(Task("read", run, per=per))
    assert running.wait(60)
    tasks.stop()
    assert ended.is_set()
    assert [each.name for each in threading.enumerate() if each.name.endswith("-racks-read")] == []


def test_a_stop_does_not_wait_for_ever_for_a_task_that_does_not_end(
    started: Callable[..., Tasks], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.tasks.runner.STOP_SECONDS", 0.05)
    running, free = threading.Event(), threading.Event()

    def run(context: TaskContext) -> None:
        running.set()
        free.wait(60)

    tasks = started(Task("read", run))
    assert running.wait(60)
    tasks.stop()
    free.set()
    assert "task 'read' of plugin 'racks' of acme 1.2 has not ended" in caplog.text


def test_one_process_of_a_deployment_runs_a_task_and_another_one_after_its_stop(
    started: Callable[..., Tasks], monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr("omni_gateway.tasks.runner.RENEW_SECONDS", 0.02)
    refusals, acquire = [], Lease.acquire

    def counted(lease: Lease) -> bool:
        acquired = acquire(lease)
        refusals.extend([] if acquired else [lease])
        return acquired

    monkeypatch.setattr(Lease, "acquire", counted)
    running = {name: threading.Event() for name in ("one", "two")}

    def task(name: str) -> Task:
        def run(context: TaskContext) -> None:
            running[name].set()
            context.wait(3600)

        return Task("read", run, per="deployment")

    first = started(task("one"))
    assert running["one"].wait(60)
    started(task("two"))
    wait_until(lambda: len(refusals) >= 3)
    assert not running["two"].is_set()
    first.stop()
    assert running["two"].wait(60)
