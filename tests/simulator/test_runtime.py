"""The controller runtime: what calls a controller, how often, and what happens when one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest

from omni_gateway.simulator.controller_runtime import runtime as runtimes
from omni_gateway.simulator.controller_runtime.context import Context, Controller, KeyMap, by_id
from omni_gateway.simulator.controller_runtime.runtime import Runtime
from omni_gateway.simulator.controllers.auto_destroy import AutoDestroy
from omni_gateway.simulator.errors import NotFound
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

KIND = "Clusters.omni.sidero.dev"


class Recording(Controller):
    """Does what it is told, and remembers for which keys it was called."""

    name = "Recording"
    inputs: ClassVar[Mapping[str, KeyMap]] = {KIND: by_id}

    def __init__(self, act: Callable[[Context, str], None] = lambda ctx, key: None) -> None:
        self.calls: list[str] = []
        self.act = act

    def reconcile(self, ctx: Context, key: str) -> None:
        self.calls.append(key)
        self.act(ctx, key)


@contextmanager
def running(store: Store, controller: Controller, speed: float = 100.0) -> Iterator[Runtime]:
    runtime = Runtime(store, [controller], speed)
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop()


def make(store: Store, id_: str) -> None:
    store.create(Resource("default", KIND, id_))


def test_what_is_there_at_the_start_is_reconciled_once(wait_until: Callable[..., Any]) -> None:
    store, controller = Store(), Recording()
    make(store, "a")
    make(store, "b")

    with running(store, controller) as runtime:
        wait_until(runtime.settled)

    assert controller.calls == ["a", "b"]


def test_many_changes_while_it_is_busy_are_one_more_call(wait_until: Callable[..., Any]) -> None:
    store, busy, go_on = Store(), threading.Event(), threading.Event()

    def hold(ctx: Context, key: str) -> None:
        busy.set()
        go_on.wait(10)

    controller = Recording(hold)
    make(store, "a")
    with running(store, controller) as runtime:
        busy.wait(10)
        for number in range(50):
            store.modify("default", KIND, "a", lambda res, number=number: res.spec.update(n=number))
        go_on.set()
        wait_until(runtime.settled)

    assert controller.calls == ["a", "a"]


def test_it_comes_back_after_the_time_it_asked_for(wait_until: Callable[..., Any]) -> None:
    def again(ctx: Context, key: str) -> None:
        if len(controller.calls) < 3:
            ctx.after(1.0)

    controller = Recording(again)
    store = Store()
    make(store, "a")
    with running(store, controller) as runtime:
        wait_until(runtime.settled)

    assert controller.calls == ["a"] * 3


def test_a_failure_is_logged_and_tried_again(
    wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtimes, "RETRY_SECONDS", 0.01)

    def fail_once(ctx: Context, key: str) -> None:
        if len(controller.calls) == 1:
            raise RuntimeError("no luck")

    controller = Recording(fail_once)
    store = Store()
    make(store, "a")
    with running(store, controller) as runtime:
        wait_until(runtime.settled)

    assert controller.calls == ["a", "a"]
    assert "Recording failed on 'a'" in caplog.text


def test_writing_what_is_there_already_changes_nothing() -> None:
    store = Store()
    ctx = Context(store, "Mine")

    for _ in range(3):
        ctx.write(KIND, "a", {"talos_version": "1.13.7"}, {"x": "y"}, finalizers=("Mine",))

    assert store.get("default", KIND, "a").version == 1


def test_an_owned_resource_is_destroyed_finalizers_and_all() -> None:
    store = Store()
    ctx = Context(store, "Mine")
    ctx.write(KIND, "a", {}, finalizers=("Mine", "Others"))

    ctx.destroy(KIND, "a")
    ctx.destroy(KIND, "a")

    assert store.find("default", KIND, "a") is None


def test_time_runs_at_the_simulators_speed() -> None:
    store = Store()
    make(store, "a")
    ctx = Context(store, "Mine", speed=50.0)

    assert not ctx.passed(store.get("default", KIND, "a").created, 3600.0)
    assert ctx.requeue_after is not None
    assert ctx.requeue_after == pytest.approx(72.0, abs=1.0)


@pytest.mark.parametrize(
    "remove",
    [
        lambda ctx: AutoDestroy().reconcile(ctx, f"{KIND}/a"),
        lambda ctx: ctx.destroy(KIND, "a", owner=""),
    ],
    ids=["auto-destroy", "a controller's destroy"],
)
def test_an_object_that_a_caller_creates_under_the_id_of_a_removed_one_stays(remove: Callable[[Context], None]) -> None:
    store = Store()
    make(store, "a")
    store.teardown("default", KIND, "a")

    def create_again() -> None:
        with suppress(NotFound):  # the controller was first
            store.destroy("default", KIND, "a")
        make(store, "a")

    caller = threading.Thread(target=create_again)

    class Interrupted(Context):
        """A caller comes when the controller has looked at the object: at once, or where it has to wait, afterwards."""

        def find(self, kind: str, id_: str) -> Resource | None:
            found = super().find(kind, id_)
            caller.start()
            caller.join(0.5)
            return found

    remove(Interrupted(store, ""))

    caller.join(60)
    found = store.find("default", KIND, "a")
    assert found is not None
    assert found.phase == "running"
