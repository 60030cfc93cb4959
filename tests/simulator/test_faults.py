"""Faults on demand, one kind after the other, as a caller of the simulator meets them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.faults import Faults
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import resources_pb2
from omni_gateway.stubs import simulator_faults_pb2 as pb
from tests.simulator.caller import DEADLINE, Caller, exists, full, missing, refused

GET = "omni.resources.ResourceService/Get"
PATCHES = full("ConfigPatches")
DATA = {"data": "machine: {}"}
ABORTED = pb.Error(code=grpc.StatusCode.ABORTED.value[0], message="as asked")


@pytest.fixture
def faults(sim: RunningSimulator) -> Iterator[Faults]:
    yield sim.faults
    sim.faults.clear()


def broken() -> Any:
    return refused(grpc.StatusCode.UNAVAILABLE)


def gets(caller: Caller, count: int, id: str = "nobody") -> str:
    """Ask again and again; tell of each call whether it was struck (x) or answered (.)."""

    def one() -> str:
        try:
            caller.get("ConfigPatches", id)
        except grpc.RpcError as error:
            return "x" if error.code() is grpc.StatusCode.ABORTED else "."
        return "."

    return "".join(one() for _ in range(count))


def get_within(caller: Caller, seconds: float) -> None:
    request = resources_pb2.GetRequest(namespace="default", type=PATCHES, id="nobody")
    caller.stub.Get(request, metadata=caller.metadata("Get"), timeout=seconds)


# -- what befalls a call


def test_an_error_is_answered_and_nothing_is_done(faults: Faults, admin: Caller, store: Store, name: str) -> None:
    with faults.during(pb.Rule(method="*/Create", error=ABORTED)), refused(grpc.StatusCode.ABORTED, "as asked"):
        admin.create("ConfigPatches", name, DATA)

    assert store.find("default", PATCHES, name) is None
    admin.create("ConfigPatches", name, DATA)


def test_a_delayed_call_is_served_late(faults: Faults, admin: Caller, name: str) -> None:
    faults.add(pb.Rule(method="*/Create", delay=pb.Delay(seconds=0.3)))
    start = time.monotonic()

    admin.create("ConfigPatches", name, DATA)

    assert time.monotonic() - start >= 0.3


def test_a_delayed_call_whose_caller_has_left_is_not_served(
    faults: Faults, admin: Caller, store: Store, name: str
) -> None:
    faults.add(pb.Rule(method="*/Delete", delay=pb.Delay(seconds=0.3)))
    admin.create("ConfigPatches", name, DATA)

    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        admin.delete("ConfigPatches", name, timeout=0.05)

    assert faults.states()[0].struck == 1
    assert store.get("default", PATCHES, name).phase == "running"


def test_a_silent_call_is_answered_once_the_rule_is_cleared(
    faults: Faults, admin: Caller, wait_until: Callable[..., Any], name: str
) -> None:
    rule = faults.add(pb.Rule(method="*/Create", silence=pb.Silence()))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(admin.create, "ConfigPatches", name, DATA)
        wait_until(lambda: faults.states()[0].struck)
        assert not call.done()

        faults.clear(rule.id)

        call.result(DEADLINE)
    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 1


def test_a_silent_call_is_never_answered_before(faults: Faults, admin: Caller) -> None:
    with faults.during(pb.Rule(silence=pb.Silence())), refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        get_within(admin, 0.2)


def test_a_silence_that_times_out_lets_its_calls_go(faults: Faults, admin: Caller) -> None:
    faults.add(pb.Rule(method=GET, silence=pb.Silence(), seconds=0.2))

    with missing():
        admin.get("ConfigPatches", "nobody")


def test_a_write_whose_answer_is_lost_was_done_once(faults: Faults, admin: Caller, name: str) -> None:
    with faults.during(pb.Rule(method="*/Create", answer_lost=pb.AnswerLost())), broken():
        admin.create("ConfigPatches", name, DATA)

    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 1
    with exists():
        admin.create("ConfigPatches", name, DATA)


def test_an_answer_may_also_never_come(faults: Faults, admin: Caller, store: Store, name: str) -> None:
    admin.create("ConfigPatches", name, DATA)
    rule = pb.Rule(method="*/Delete", answer_lost=pb.AnswerLost(hang=True))
    with faults.during(rule), refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        admin.delete("ConfigPatches", name, timeout=0.5)

    assert store.find("default", PATCHES, name) is None


def test_a_refusal_is_an_answer_that_can_be_lost_too(faults: Faults, admin: Caller) -> None:
    with faults.during(pb.Rule(method=GET, answer_lost=pb.AnswerLost())), broken():
        admin.get("ConfigPatches", "nobody")


def test_a_stream_is_cut_after_so_many_messages(faults: Faults, admin: Caller, name: str) -> None:
    faults.add(pb.Rule(method="*/Watch", resource_type=PATCHES, cut=pb.Cut(after_messages=2)))
    with admin.watch("ConfigPatches", id=name) as events:
        assert events.kinds(1) == ["bootstrapped"]
        admin.create("ConfigPatches", name, DATA)
        assert events.kinds(1) == [f"created {name}"]
        with broken():
            events.next()


def test_a_stream_may_be_cut_before_its_first_message(faults: Faults, admin: Caller) -> None:
    with faults.during(pb.Rule(cut=pb.Cut())), admin.watch("Clusters") as events, broken():
        events.next()


def test_a_stream_that_is_open_is_cut_at_its_next_message(faults: Faults, admin: Caller, name: str) -> None:
    with admin.watch("ConfigPatches", id=name) as events:
        events.next()
        faults.add(pb.Rule(method="*/Watch", times=1, cut=pb.Cut()))
        admin.create("ConfigPatches", name, DATA)
        with broken():
            events.next()

    with admin.watch("ConfigPatches", id=name) as events:
        assert events.kinds(1) == [f"created {name}"]


def test_a_stream_that_is_open_is_not_struck_by_what_befalls_calls_at_their_beginning(
    faults: Faults, admin: Caller, name: str
) -> None:
    with admin.watch("ConfigPatches", id=name) as events:
        events.next()
        faults.add(pb.Rule(method="*/Watch", error=ABORTED))
        admin.create("ConfigPatches", name, DATA)
        assert events.kinds(1) == [f"created {name}"]
    assert faults.states()[0].matched == 0


def test_stale_reads_answer_what_was_there_when_the_rule_was_added(faults: Faults, admin: Caller, name: str) -> None:
    changed, gone, new = f"{name}-changed", f"{name}-gone", f"{name}-new"
    for id in (changed, gone):
        admin.create("ConfigPatches", id, DATA)
    rule = faults.add(pb.Rule(resource_type=PATCHES, stale_reads=pb.StaleReads()))
    admin.change("ConfigPatches", changed, data="machine: {sysctls: {a: b}}")
    admin.delete("ConfigPatches", gone)
    admin.create("ConfigPatches", new, DATA)

    assert admin.get("ConfigPatches", changed)["metadata"]["version"] == 1
    assert [id for id in admin.ids("ConfigPatches") if id.startswith(f"{name}-")] == [changed, gone]
    with missing():
        admin.get("ConfigPatches", new)

    faults.clear(rule.id)
    assert admin.get("ConfigPatches", changed)["metadata"]["version"] == 2
    assert [id for id in admin.ids("ConfigPatches") if id.startswith(f"{name}-")] == [changed, new]


def test_stale_reads_of_one_type_leave_the_others_fresh(faults: Faults, admin: Caller, name: str) -> None:
    faults.add(pb.Rule(resource_type=full("Clusters"), stale_reads=pb.StaleReads()))
    admin.create("ConfigPatches", name, DATA)

    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 1


# -- which calls are struck


@pytest.mark.parametrize(
    ("choice", "struck"),
    [
        ({}, "xxxxxxxxxx"),
        ({"times": 3}, "xxx......."),
        ({"skip": 3}, "...xxxxxxx"),
        ({"every": 3}, "..x..x..x."),
        ({"skip": 1, "every": 2, "times": 2}, "..x.x....."),
        ({"method": "*/List"}, ".........."),
        ({"method": "omni.resources.*/[FG]et"}, "xxxxxxxxxx"),
        ({"resource_type": "*Patches.omni.sidero.dev"}, "xxxxxxxxxx"),
        ({"resource_type": "Clusters.omni.sidero.dev"}, ".........."),
        ({"resource_id": "no*"}, "xxxxxxxxxx"),
        ({"resource_id": "somebody"}, ".........."),
    ],
)
def test_a_rule_says_which_of_the_calls_it_strikes(
    faults: Faults, admin: Caller, choice: dict[str, Any], struck: str
) -> None:
    faults.add(pb.Rule(error=ABORTED, **choice))

    assert gets(admin, 10) == struck


def test_a_write_is_known_by_the_resource_that_it_carries(faults: Faults, admin: Caller, name: str) -> None:
    faults.add(pb.Rule(resource_type=PATCHES, resource_id=f"{name}-a", error=ABORTED))

    admin.create("ConfigPatches", f"{name}-b", DATA)
    with refused(grpc.StatusCode.ABORTED):
        admin.create("ConfigPatches", f"{name}-a", DATA)


def test_one_seed_strikes_the_same_calls_in_every_run(faults: Faults, admin: Caller) -> None:
    runs = []
    for seed in (7, 7, 8):
        with faults.during(pb.Rule(method=GET, probability=0.5, seed=seed, error=ABORTED)):
            runs.append(gets(admin, 40))

    assert runs[0] == runs[1] != runs[2]
    assert 5 < runs[0].count("x") < 35


def test_a_rule_that_is_over_strikes_no_more_and_tells_what_it_did(
    faults: Faults, admin: Caller, wait_until: Callable[..., Any]
) -> None:
    faults.add(pb.Rule(method=GET, times=1, error=ABORTED))
    faults.add(pb.Rule(method=GET, seconds=0.05, delay=pb.Delay(seconds=0.01)))
    assert gets(admin, 2) == "x."
    wait_until(lambda: faults.states()[1].over)

    assert gets(admin, 1) == "."
    first, second = faults.states()
    assert (first.matched, first.struck, first.over) == (1, 1, True)
    assert (second.struck, second.over) == (second.matched, True)


def test_rules_add_up_in_their_order(faults: Faults, admin: Caller) -> None:
    faults.add(pb.Rule(method=GET, delay=pb.Delay(seconds=0.2)))
    faults.add(pb.Rule(method=GET, error=ABORTED))
    start = time.monotonic()

    assert gets(admin, 1) == "x"
    assert time.monotonic() - start >= 0.2


def test_many_at_a_time_are_counted_exactly(faults: Faults, admin: Caller) -> None:
    faults.add(pb.Rule(method=GET, times=13, error=ABORTED))
    with ThreadPoolExecutor(8) as pool:
        struck = "".join(pool.map(lambda _: gets(admin, 5), range(16)))

    assert struck.count("x") == 13


# -- the port


def ask(sim: RunningSimulator, seconds: float = 0.5) -> grpc.StatusCode:
    """Ask over a connection of its own, and return how that ended."""
    with grpc.insecure_channel(sim.endpoint.removeprefix("http://")) as channel:
        caller = Caller(channel, sim.key)
        try:
            get_within(caller, seconds)
        except grpc.RpcError as error:
            return error.code()
    raise AssertionError("there is such a patch")


def test_refused_connections_cut_what_is_open_and_let_nobody_in(
    sim: RunningSimulator, faults: Faults, admin: Caller, wait_until: Callable[..., Any]
) -> None:
    with admin.watch("Clusters") as events:
        events.next()
        rule = faults.add(pb.Rule(connections=pb.Connections(mode=pb.Connections.REFUSED)))
        with broken():
            events.next()
    assert ask(sim) is grpc.StatusCode.UNAVAILABLE

    faults.clear(rule.id)
    assert ask(sim, DEADLINE) is grpc.StatusCode.NOT_FOUND
    wait_until(lambda: gets(admin, 1) == ".")


def test_unanswered_connections_are_taken_and_stay_silent(sim: RunningSimulator, faults: Faults) -> None:
    with faults.during(pb.Rule(connections=pb.Connections(mode=pb.Connections.UNANSWERED))):
        assert ask(sim) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ask(sim, DEADLINE) is grpc.StatusCode.NOT_FOUND


def test_the_port_is_served_again_by_itself_after_so_many_seconds(
    sim: RunningSimulator, faults: Faults, wait_until: Callable[..., Any]
) -> None:
    faults.add(pb.Rule(connections=pb.Connections(), seconds=0.3))
    assert ask(sim) is grpc.StatusCode.UNAVAILABLE

    wait_until(lambda: ask(sim) is grpc.StatusCode.NOT_FOUND)
    assert faults.states()[0].over


def test_connections_can_be_shut_again_once_the_first_rule_is_over(
    sim: RunningSimulator, faults: Faults, wait_until: Callable[..., Any]
) -> None:
    faults.add(pb.Rule(connections=pb.Connections(), seconds=0.05))
    wait_until(lambda: ask(sim) is grpc.StatusCode.NOT_FOUND)

    with faults.during(pb.Rule(connections=pb.Connections())):
        assert ask(sim) is grpc.StatusCode.UNAVAILABLE
    assert ask(sim, DEADLINE) is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("mode", ["REFUSED", "UNANSWERED"])
def test_a_simulator_whose_port_is_shut_can_be_stopped(mode: str) -> None:
    with running_simulator(fleet=0) as sim:
        sim.faults.add(pb.Rule(connections=pb.Connections(mode=mode)))
    assert ask(sim) is grpc.StatusCode.UNAVAILABLE
