"""A plugin's handlers of changes: each change once per worker and in order, whatever a handler does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from flask import Flask

from omni_gateway.cache import informer_events
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.sdk import ResourceAdapter
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.extensions import ChangeHandler, ObjectChange
from omni_gateway.sdk.omni import types
from omni_gateway.settings import Settings
from resources.machineclass import plugin as machine_classes

from .conftest import Caller
from .guide_page import names_of
from .mounted_plugins import running

pytestmark = pytest.mark.usefixtures("undocumented")

Wait = Callable[..., Any]
Handle = Callable[[ResourceAdapter, ObjectChange], None]
BODY = {"match_labels": ["omni.sidero.dev/platform = metal"]}


class Handled:
    """A handler that notes the changes of this test's objects; it waits while ``open`` is not set."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.changes: list[tuple[str, str]] = []
        self.open = threading.Event()
        self.open.set()

    def __call__(self, adapter: ResourceAdapter, change: ObjectChange) -> None:
        if change.id.startswith(self.prefix):
            self.changes.append((change.id.removeprefix(self.prefix), change.kind))
            self.open.wait(30)


@contextmanager
def worker(settings: Settings, *handlers: Handle, per: Literal["worker", "deployment"] = "worker") -> Iterator[Flask]:
    """An application as a worker runs it, with a plugin that has these handlers."""
    declared = [ChangeHandler(types.MACHINE_CLASSES, handle, per=per) for handle in handlers]
    with running(settings, [ServicePlugin(name="acme", change_handlers=declared), machine_classes]) as app:
        yield app


@pytest.fixture
def prefix(request: pytest.FixtureRequest, app: Flask, tokens: dict[str, str]) -> Iterator[str]:
    """The beginning of the ids of this test's machine classes, which are gone when it ends."""
    prefix = f"changes-{abs(hash(request.node.name)) % 10_000}-"
    admin = Caller(app.test_client(), tokens["admin"])
    yield prefix
    for item in cast(Any, admin.get(f"machineclasses?search={prefix}")).json:
        admin.delete(f"machineclasses/{item['id']}")


def create(api: Caller, id: str) -> None:
    assert api.post("machineclasses", json={"id": id, **BODY}).status_code == 201


def change(api: Caller, id: str, value: str) -> None:
    assert api.patch(f"machineclasses/{id}", json={"labels": {"value": value}}).status_code == 200


def test_what_is_there_comes_first_and_then_each_change_in_order(
    api: Caller, settings: Settings, prefix: str, wait_until: Wait
) -> None:
    create(api, f"{prefix}a")
    handled = Handled(prefix)
    with worker(settings, handled):
        wait_until(lambda: handled.changes)
        create(api, f"{prefix}b")
        change(api, f"{prefix}b", "1")
        change(api, f"{prefix}a", "1")
        api.delete(f"machineclasses/{prefix}b")
        wait_until(lambda: ("b", "destroyed") in handled.changes)

    # Before an object is gone, Omni marks it as being removed.
    changes = [each for each in handled.changes if each != ("b", "updated")]
    assert changes == [("a", "present"), ("b", "created"), ("a", "updated"), ("b", "destroyed")]
    assert ("b", "updated") in handled.changes


def test_a_change_has_the_object_before_and_after(
    api: Caller, settings: Settings, prefix: str, wait_until: Wait
) -> None:
    create(api, f"{prefix}a")
    seen: list[ObjectChange] = []
    with worker(settings, lambda adapter, each: seen.append(each)):
        wait_until(lambda: f"{prefix}a" in [each.id for each in seen])
        change(api, f"{prefix}a", "1")
        updated = wait_until(lambda: [each for each in seen if each.id == f"{prefix}a" and each.kind == "updated"])[0]

    assert (updated.old.labels, updated.new.labels) == ({}, {"value": "1"})


def test_a_handler_has_the_plugins_adapter_with_the_gateways_own_client(
    api: Caller, settings: Settings, prefix: str, wait_until: Wait
) -> None:
    create(api, f"{prefix}a")
    read: list[Any] = []

    def look(adapter: ResourceAdapter, each: ObjectChange) -> None:
        read.append(adapter.omni.resources.get(each.type, each.id)["metadata"]["id"])

    with worker(settings, look):
        wait_until(lambda: f"{prefix}a" in read)


def test_an_exception_names_the_plugin_and_the_next_change_is_handled(
    api: Caller, settings: Settings, prefix: str, wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    create(api, f"{prefix}a")
    handled = Handled(prefix)

    def fail(adapter: ResourceAdapter, each: ObjectChange) -> None:
        handled(adapter, each)
        raise RuntimeError("no licence")

    with worker(settings, fail):
        wait_until(lambda: handled.changes)
        create(api, f"{prefix}b")
        wait_until(lambda: ("b", "created") in handled.changes)

    [record] = [item for item in caplog.records if item.exc_info and f"{prefix}a" in item.getMessage()]
    assert (
        record.getMessage()
        == f"plugin 'acme' of acme 1.0 failed at a change: {types.MACHINE_CLASSES} '{prefix}a' is present"
    )
    assert "no licence" in str(record.exc_info[1])  # type: ignore[index]


def test_a_slow_handler_delays_neither_reads_nor_another_handler(
    api: Caller, settings: Settings, tokens: dict[str, str], prefix: str, wait_until: Wait
) -> None:
    create(api, f"{prefix}a")
    slow, quick = Handled(prefix), Handled(prefix)
    slow.open.clear()
    with worker(settings, slow, quick) as app:
        wait_until(lambda: slow.changes and quick.changes)
        mine = Caller(app.test_client(), tokens["admin"])
        change(api, f"{prefix}a", "1")
        wait_until(lambda: ("a", "updated") in quick.changes)
        read = mine.get(f"machineclasses/{prefix}a")
        held_up = list(slow.changes)
        slow.open.set()
        wait_until(lambda: ("a", "updated") in slow.changes)

    assert (read.json["labels"], read.headers["Cache-Status"].split("; ")[1]) == ({"value": "1"}, "hit")
    assert held_up == [("a", "present")]


def test_after_too_many_changes_what_differs_follows(
    api: Caller,
    settings: Settings,
    prefix: str,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(informer_events, "LONGEST_QUEUE", 3)
    for name in ("a", "b", "c"):
        create(api, f"{prefix}{name}")
    slow, quick = Handled(prefix), Handled(prefix)
    with worker(settings, slow, quick):
        wait_until(lambda: len(slow.changes) == len(quick.changes) == 3)
        slow.open.clear()
        for value in range(6):
            change(api, f"{prefix}a", str(value))
            wait_until(lambda: quick.changes.count(("a", "updated")) == value + 1)  # noqa: B023
        api.delete(f"machineclasses/{prefix}b")
        create(api, f"{prefix}d")
        wait_until(lambda: ("d", "created") in quick.changes)
        slow.open.set()
        wait_until(lambda: ("d", "created") in slow.changes)

    assert set(slow.changes[3:]) == {("a", "updated"), ("b", "destroyed"), ("d", "created")}
    assert slow.changes[3:].count(("a", "updated")) < quick.changes.count(("a", "updated"))
    assert "plugin 'acme' of acme 1.0: changes of MachineClasses.omni.sidero.dev: " in caplog.text


def test_of_a_deployment_one_worker_calls_a_handler_and_another_takes_over(
    api: Caller, settings: Settings, prefix: str, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.tasks.runner.RENEW_SECONDS", 0.05)
    create(api, f"{prefix}a")
    first, second = Handled(prefix), Handled(prefix)
    with worker(settings, first, per="deployment") as one:
        wait_until(lambda: first.changes)
        with worker(settings, second, per="deployment"):
            change(api, f"{prefix}a", "1")
            wait_until(lambda: ("a", "updated") in first.changes)
            before = list(second.changes)
            cast(Gateway, one.extensions[EXTENSION]).tasks.stop()
            wait_until(lambda: second.changes)

    assert (before, second.changes) == ([], [("a", "present")])


def test_without_a_cache_a_warning_names_the_plugin(
    settings: Settings, wait_until: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(replace(settings, cache_bytes=0), lambda adapter, each: None):
        wait_until(lambda: "gets no changes" in caplog.text)

    text = "plugin 'acme' of acme 1.0 gets no changes of MachineClasses.omni.sidero.dev at present: the cache is off"
    assert [item.getMessage() for item in caplog.records if "no changes" in item.getMessage()] == [text]


def test_the_guides_handler_announces_a_new_cluster(
    api: Caller, settings: Settings, wait_until: Wait, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "acme.births")
    api.delete("clusters/born-here")
    with running(settings, [names_of("beyond-routes.md", tmp_path)["births"]]) as app:
        informers = cast(Gateway, app.extensions[EXTENSION]).own_omni.cache
        wait_until(lambda: (each := informers.existing(types.CLUSTERS, "default")) and each.has_followers)
        assert api.post("clusters", json={"id": "born-here"}).status_code == 201
        wait_until(lambda: "the cluster born-here was created" in caplog.text)
    api.delete("clusters/born-here")
