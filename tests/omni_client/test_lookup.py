"""Look-ups by ids: from the cache, or with few calls; never by a list of a type that has many other objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from omni_gateway.cache.client import CachingClient
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.model.lookup import OBJECTS_PER_GET, find_by_ids
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, OmniConfig, types
from omni_gateway.rest.any_type.planned_objects import with_planned
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator

TYPE = types.MACHINE_STATUSES
#: More than a look-up of four objects lists, and less than one of ten does.
MACHINES = 4 * OBJECTS_PER_GET + 10
FEW, MANY = 4, 10


@pytest.fixture(scope="module")
def config() -> Iterator[OmniConfig]:
    with running_simulator(fleet=MACHINES) as running:
        yield config_of(running)


def config_of(running: RunningSimulator) -> OmniConfig:
    return OmniConfig(running.endpoint, running.key, timeout=30)


@pytest.fixture
def client(config: OmniConfig) -> Iterator[CachingClient]:
    with CachingClient(config) as made:
        yield made


@pytest.fixture
def ids(config: OmniConfig) -> Sequence[str]:
    with OmniClient(config) as omni:
        return [item["metadata"]["id"] for item in omni.resources.list(TYPE).items]


@pytest.fixture
def calls(client: CachingClient) -> list[str]:
    """The methods that the client calls from now on, but for watches and probes of the connection."""
    made: list[str] = []

    def note(method: str, code: Any, seconds: float | None) -> None:
        if (name := method.rpartition("/")[2]) in ("Get", "List"):
            made.append(name)

    client.observe_calls(note)
    return made


def direct() -> ReadRecord:
    """Return the record of a request that may not read from the cache."""
    return ReadRecord(max_age=0)


def looked_up(client: OmniClient, ids: Sequence[str]) -> list[str]:
    found = find_by_ids(client, TYPE, ids)
    return [id for id in ids if id in found]


def test_few_of_many_objects_are_read_one_by_one(client: CachingClient, ids: Sequence[str], calls: list[str]) -> None:
    assert looked_up(client.reading(direct), ids[-FEW:]) == ids[-FEW:]

    assert calls == ["List"] + ["Get"] * FEW


def test_the_list_before_gets_is_a_page(client: CachingClient, ids: Sequence[str], monkeypatch: Any) -> None:
    limits: list[int] = []
    listed = type(client.resources).list
    monkeypatch.setattr(
        type(client.resources), "list", lambda *args, **rest: limits.append(rest["limit"]) or listed(*args, **rest)
    )

    find_by_ids(client, TYPE, ids[:FEW])

    assert limits == [FEW * OBJECTS_PER_GET]


def test_many_of_a_types_objects_are_read_by_one_list(
    client: CachingClient, ids: Sequence[str], calls: list[str]
) -> None:
    assert looked_up(client.reading(direct), ids[:MANY]) == ids[:MANY]

    assert calls == ["List"]


def test_many_that_no_page_holds_are_read_by_a_list_of_all(
    client: CachingClient, ids: Sequence[str], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.model.lookup.FIRST_PAGE", 5)

    assert looked_up(client.reading(direct), ids[-MANY:]) == ids[-MANY:]

    assert calls == ["List", "List"]


def test_large_objects_are_read_one_by_one(config: OmniConfig, ids: Sequence[str]) -> None:
    """Of which a page does not fit into one message."""
    with OmniClient(replace(config, max_message_bytes=6_000)) as client:
        assert looked_up(client, ids[:MANY]) == ids[:MANY]


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_what_omni_does_not_have_is_left_out(client: CachingClient, ids: Sequence[str], count: int) -> None:
    wanted = [*ids[: count - 1], "no-such-machine"]

    assert looked_up(client.reading(direct), wanted) == ids[: count - 1]


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_objects_come_from_the_cache_without_a_call(
    client: CachingClient, ids: Sequence[str], calls: list[str], count: int, wait_until: Callable[..., Any]
) -> None:
    def hit() -> bool:
        record = ReadRecord()
        calls.clear()
        return looked_up(client.reading(lambda: record), ids[:count]) == ids[:count] and record.is_hit

    wait_until(hit)

    assert calls == []


def test_objects_are_there_before_the_informer_has_listed_and_count_as_read_from_omni(
    client: CachingClient, ids: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Informer, "start", lambda informer: None)
    monkeypatch.setattr("omni_gateway.cache.informer.SYNC_SECONDS", 0.0)
    record = ReadRecord()

    assert looked_up(client.reading(lambda: record), ids[:FEW]) == ids[:FEW]

    assert (record.is_hit, record.cache_status) == (False, "omni-gateway; fwd=uri-miss; detail=no-informer")


def test_what_a_request_is_going_to_create_is_found_too(client: CachingClient, ids: Sequence[str]) -> None:
    planned = {(TYPE, "planned"): Resource("planned", {}, type=TYPE)}
    wanted = [*ids[-FEW:], "planned"]

    assert looked_up(with_planned(client, planned), wanted) == wanted
