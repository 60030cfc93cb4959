"""Lists that do not fit into one message: read by a watch, whole, as of one moment, within a bound."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from omni_gateway.omni import OmniClient, OmniConfig, deadline, errors, rpcs, types
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.stubs import resources_pb2 as pb
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey

MIB = 1024 * 1024
#: What Omni's own clients take; ten thousand MachineStatuses are more.
MESSAGE = 32 * MIB
OBJECTS = 40
TYPE = types.CONFIG_PATCHES
IDS = [f"large-{number:02d}" for number in range(OBJECTS)]
LABEL = "large-even"


@pytest.fixture(scope="module")
def simulated() -> Iterator[RunningSimulator]:
    """An Omni whose configuration patches are 40 MiB in all."""
    with running_simulator(fleet=0) as running:
        for number, id in enumerate(IDS):
            labels = {} if number % 2 else {LABEL: ""}
            running.store.create(Resource("default", TYPE, id, {"data": str(number % 10) * MIB}, labels))
        yield running


@pytest.fixture
def config(simulated: RunningSimulator) -> OmniConfig:
    return OmniConfig(simulated.endpoint, simulated.key, timeout=60, max_message_bytes=MESSAGE)


def observed(client: OmniClient) -> list[str]:
    """The methods that a client calls from now on, with their outcomes."""
    made: list[str] = []
    client.observe_calls(lambda method, code, seconds: made.append(f"{method.rpartition('/')[2]} {code}"))
    return made


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["id"] for item in items]


def test_a_list_of_more_than_32_mib_is_one_message_by_default(simulated: RunningSimulator) -> None:
    with OmniClient(OmniConfig(simulated.endpoint, simulated.key, timeout=60)) as client:
        calls = observed(client)
        listed = client.resources.list(TYPE)
    assert sum(map(len, listed.texts)) > MESSAGE
    assert calls == ["List OK"]


def test_a_list_that_does_not_fit_is_the_same_list(config: OmniConfig) -> None:
    with OmniClient(replace(config, max_message_bytes=128 * MIB)) as client:
        expected = client.resources.list(TYPE)
    with OmniClient(config) as client:
        listed = client.resources.list(TYPE)
    assert (listed.texts, listed.total) == (list(expected.texts), OBJECTS)


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_a_list_that_does_not_fit_is_read_over_either_transport(transport: str) -> None:
    with running_simulator(fleet=0, http=True) as running:
        for id in IDS[:4]:
            running.store.create(Resource("default", TYPE, id, {"data": "x" * MIB}))
        endpoint = f"http://{running.http_address}" if transport == "http" else running.endpoint
        config = OmniConfig(endpoint, running.key, timeout=60, max_message_bytes=2 * MIB, transport=transport)  # type: ignore[arg-type]
        with OmniClient(config) as client:
            assert ids(client.resources.list(TYPE).items) == IDS[:4]


def test_omni_is_not_asked_again_for_a_list_that_did_not_fit(config: OmniConfig) -> None:
    with OmniClient(config) as client:
        calls = observed(client)
        client.resources.list(TYPE)
        client.resources.list(TYPE)
    assert calls == ["List RESOURCE_EXHAUSTED", "Watch OK", "Watch OK"]


def test_a_type_that_has_become_small_is_listed_in_one_message_again(
    simulated: RunningSimulator, config: OmniConfig
) -> None:
    with OmniClient(config) as client:
        client.resources.list(TYPE)
        removed = [simulated.store.get("default", TYPE, id) for id in IDS[10:]]
        for each in removed:
            simulated.store.destroy(*each.key)
        calls = observed(client)
        try:
            client.resources.list(TYPE)
            client.resources.list(TYPE)
        finally:
            for each in removed:
                simulated.store.create(each)
    assert calls == ["Watch OK", "List OK"]


def test_selectors_search_and_order_hold_for_it(config: OmniConfig) -> None:
    with OmniClient(replace(config, max_message_bytes=2 * MIB)) as client:
        even = client.resources.list(TYPE, selectors=[LABEL])
        found = client.resources.list(TYPE, search=["large-1"])
        backwards = client.resources.list(TYPE, sort_by="id", descending=True)
    assert ids(even.items) == IDS[::2]
    assert ids(found.items) == IDS[10:20]
    assert ids(backwards.items) == IDS[::-1]


def test_what_only_list_can_order_or_page_is_refused(config: OmniConfig) -> None:
    with OmniClient(replace(config, max_message_bytes=2 * MIB)) as client:
        with pytest.raises(errors.MessageTooLarge, match="larger than max"):
            client.resources.list(TYPE, sort_by="created")
        with pytest.raises(errors.MessageTooLarge, match="larger than max"):
            client.resources.list(TYPE, limit=10)


def test_a_list_beyond_the_bound_is_refused_and_names_it(config: OmniConfig) -> None:
    with (
        OmniClient(replace(config, max_list_bytes=35 * MIB)) as client,
        pytest.raises(errors.ListTooLarge, match="is larger than the 36,700,160 bytes"),
    ):
        client.resources.list(TYPE)


def event(kind: pb.EventType.ValueType, id: str = "", version: str = "1") -> pb.WatchResponse:
    text = json.dumps({"metadata": {"id": id, "version": version}}) if id else ""
    return pb.WatchResponse(event=pb.Event(event_type=kind, resource=text))


@pytest.fixture
def small(scripted: ScriptedOmni, key: TestKey) -> Iterator[OmniClient]:
    """A client whose messages hold 200 bytes, of an Omni whose list of any type is larger."""
    scripted.answer(rpcs.LIST, pb.ListResponse(items=["x" * 1000], total=1))
    config = OmniConfig(f"http://127.0.0.1:{scripted.port}", key.text, timeout=60, max_message_bytes=200)
    with OmniClient(config) as client:
        yield client


def test_changes_before_all_objects_were_sent_are_applied(small: OmniClient, scripted: ScriptedOmni) -> None:
    events = [event(pb.CREATED, "b"), event(pb.CREATED, "a"), event(pb.UPDATED, "b", "2"), event(pb.DESTROYED, "a")]
    scripted.answer(rpcs.WATCH, [*events, event(pb.BOOTSTRAPPED), event(pb.CREATED, "c")])
    listed = small.resources.list("T")
    assert [(item["metadata"]["id"], item["metadata"]["version"]) for item in listed.items] == [("b", "2")]


def test_a_watch_that_ends_early_is_no_list(small: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, [event(pb.CREATED, "a")])
    with pytest.raises(errors.Unavailable, match="before it had sent all objects"):
        small.resources.list("T")


def test_one_large_list_is_read_at_a_time(
    small: OmniClient, scripted: ScriptedOmni, wait_until: Callable[..., Any]
) -> None:
    go_on = threading.Event()

    def slow(request: Any, context: Any) -> Iterator[pb.WatchResponse]:
        go_on.wait(60)
        yield event(pb.BOOTSTRAPPED)

    scripted.answer(rpcs.WATCH, slow)
    first = threading.Thread(target=lambda: small.resources.list("T"))
    first.start()
    wait_until(lambda: scripted.calls(rpcs.WATCH), what="the first watch")
    try:
        with pytest.raises(errors.NoTimeLeft, match="other lists"):
            small.resources.list("T", timeout=0.2)
    finally:
        go_on.set()
        first.join()
    assert small.resources.list("T").total == 0


def test_a_large_list_ends_at_the_request_s_deadline(small: OmniClient, scripted: ScriptedOmni) -> None:
    def silent(request: Any, context: Any) -> Iterator[pb.WatchResponse]:
        scripted.stopping.wait(60)
        yield event(pb.BOOTSTRAPPED)

    scripted.answer(rpcs.WATCH, silent)
    ends = time.monotonic() + 2
    with deadline.until(ends), pytest.raises(errors.DeadlineExceeded):
        small.resources.list("T")
