"""A client that keeps informers: who reads from them, whose writes they wait for, and what closing it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.cache.client import CachingClient
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.omni import OmniConfig, types
from omni_gateway.omni.calls import WriteRefused
from omni_gateway.omni.keys import parse_key
from omni_gateway.omni.signing import KeySigner
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator

TYPE, NAMESPACE = types.MACHINE_CLASSES, "default"
ID = "kept"


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=1) as running:
        yield running


@pytest.fixture
def client(simulator: RunningSimulator) -> Iterator[CachingClient]:
    """A client of an Omni with one object."""
    with CachingClient(OmniConfig(simulator.endpoint, simulator.key, timeout=10)) as made:
        made.resources.create(TYPE, ID, {"match_labels": ["a = b"]})
        yield made
        made.resources.remove(TYPE, ID)


@pytest.fixture
def calls(client: CachingClient) -> list[str]:
    """The methods that the client calls from now on, probes of the connection left out."""
    made: list[str] = []
    client.observe_calls(lambda method, code, seconds: made.append(method.rpartition("/")[2]))
    return made


def read(client: CachingClient, record: ReadRecord) -> Any:
    return client.reading(lambda: record).resources.get(TYPE, ID)


def test_a_read_of_a_request_comes_from_a_watch_of_the_type(
    client: CachingClient, calls: list[str], wait_until: Callable[..., Any]
) -> None:
    direct = client.resources.get(TYPE, ID)
    record = wait_until(lambda: hit(client))

    assert read(client, record) == direct
    assert (record.is_hit, record.called_omni) == (True, False)
    assert calls.count("Get") == 1 and calls.count("Watch") == 1


def hit(client: CachingClient) -> ReadRecord | None:
    """Read as a request; return its record if an informer answered alone."""
    record = ReadRecord()
    read(client, record)
    return record if record.is_hit else None


def test_a_call_of_a_request_is_recorded_and_it_cannot_write(client: CachingClient) -> None:
    record = ReadRecord(max_age=0)
    reading = client.reading(lambda: record)
    assert reading.resources.get(TYPE, ID)["metadata"]["id"] == ID
    assert record.called_omni

    with pytest.raises(WriteRefused):
        reading.resources.remove(TYPE, ID)


def test_the_end_of_a_request_ends_neither_informers_nor_connection(
    client: CachingClient, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: hit(client))
    informer = client.cache.existing(TYPE, NAMESPACE)

    client.reading(ReadRecord).close()
    client.acting_as(client._signer).close()

    assert client.cache.existing(TYPE, NAMESPACE) is informer is not None
    assert hit(client)


def test_closing_a_client_closes_its_informers_and_no_later_read_starts_one(
    client: CachingClient, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: hit(client))
    informer = client.cache.existing(TYPE, NAMESPACE)
    assert informer is not None

    client.close()

    assert (informer.ready, client.cache.existing(TYPE, NAMESPACE)) == (False, None)
    assert not hit(client) and client.cache.existing(TYPE, NAMESPACE) is None


def test_a_client_signs_with_the_identity_that_it_is_given(simulator: RunningSimulator) -> None:
    key = parse_key(simulator.make_key("Reader"), variable="the key")
    with CachingClient(OmniConfig(simulator.endpoint, simulator.key), signer=KeySigner(key)) as made:
        assert made.identity == key.identity


def test_another_identity_reads_from_omni_and_its_writes_count_for_the_informers(
    client: CachingClient, simulator: RunningSimulator, calls: list[str], wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: hit(client))
    key = parse_key(simulator.make_key("Admin"), variable="the key")
    other = client.acting_as(KeySigner(key))

    before = calls.count("Get")
    held = other.resources.get(TYPE, ID)
    assert (other.identity.name, calls.count("Get")) == (key.identity.name, before + 1)

    held["metadata"]["labels"] = {"written": "by another"}
    informer = client.cache.existing(TYPE, NAMESPACE)
    assert informer is not None
    with informer._lock:  # which no event passes
        other.resources.update(held, version=None)
        assert client.cache.pending_writes.any((TYPE, NAMESPACE))
    assert read(client, ReadRecord())["metadata"]["labels"] == {"written": "by another"}
