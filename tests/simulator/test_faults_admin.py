"""Rules over the admin's port: what is taken, what is refused and in which words, and who is let near."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from omni_gateway.simulator.server import Simulator
from omni_gateway.stubs import simulator_faults_pb2 as pb
from omni_gateway.stubs import simulator_faults_pb2_grpc as pb_grpc
from tests.simulator.caller import Caller, invalid, missing, refused
from tests.simulator.test_process import simulator

ERROR = pb.Error(code=grpc.StatusCode.ABORTED.value[0])
DELAY = pb.Delay(seconds=1)


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    omni = Simulator(faults=True)
    omni.start("127.0.0.1:0", "127.0.0.1:0")
    yield omni
    omni.stop()


@pytest.fixture
def switches(running: Simulator) -> Iterator[pb_grpc.FaultServiceStub]:
    with grpc.insecure_channel(running.admin_address) as channel:
        stub = pb_grpc.FaultServiceStub(channel)
        yield stub
        stub.Clear(pb.ClearFaultsRequest())


@pytest.fixture
def admin(running: Simulator) -> Iterator[Caller]:
    with grpc.insecure_channel(running.address) as channel:
        yield Caller(channel, running.key)


def test_a_rule_is_in_force_until_it_is_cleared(switches: pb_grpc.FaultServiceStub, admin: Caller) -> None:
    rule = pb.Rule(method="*/List", error=ERROR)
    added = switches.Add(rule)
    with refused(grpc.StatusCode.ABORTED):
        admin.list("Clusters")

    (told,) = switches.List(pb.ListFaultsRequest()).rules
    assert told == pb.RuleState(id=added.id, rule=rule, matched=1, struck=1)
    (ended,) = switches.Clear(pb.ClearFaultsRequest(id=added.id)).rules
    assert ended == told
    assert admin.list("Clusters") == ([], 0)


def test_clearing_without_an_id_ends_every_rule(switches: pb_grpc.FaultServiceStub) -> None:
    ids = [switches.Add(pb.Rule(delay=DELAY)).id for _ in range(3)]

    assert [state.id for state in switches.Clear(pb.ClearFaultsRequest()).rules] == ids
    assert not switches.List(pb.ListFaultsRequest()).rules


def test_a_rule_that_is_not_there_cannot_be_cleared(switches: pb_grpc.FaultServiceStub) -> None:
    gone = switches.Add(pb.Rule(delay=DELAY)).id
    switches.Clear(pb.ClearFaultsRequest(id=gone))

    with missing():
        switches.Clear(pb.ClearFaultsRequest(id=gone))


def test_the_faults_port_is_not_struck_by_faults(switches: pb_grpc.FaultServiceStub) -> None:
    switches.Add(pb.Rule(connections=pb.Connections()))
    switches.Add(pb.Rule(error=ERROR))

    assert len(switches.List(pb.ListFaultsRequest()).rules) == 2


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, ["needs a fault", "delay, error, silence, answer_lost, cut, stale_reads, connections"]),
        ({"delay": pb.Delay()}, ["delay.seconds must be above 0"]),
        ({"delay": pb.Delay(seconds=float("nan"))}, ["delay.seconds"]),
        ({"delay": pb.Delay(seconds=1e9)}, ["at most 86400"]),
        ({"error": pb.Error()}, ["error.code must be a code of a failure"]),
        ({"error": pb.Error(code=99)}, ["error.code"]),
        ({"error": ERROR, "seconds": -1}, ["seconds must be above 0"]),
        ({"error": ERROR, "method": "*/Fetch"}, ["'*/Fetch'", "omni.resources.ResourceService/Get"]),
        ({"error": ERROR, "resource_type": "Cluster"}, ["'Cluster'", "Clusters.omni.sidero.dev"]),
        ({"error": ERROR, "method": "management.*", "resource_id": "x"}, ["are about a resource"]),
        ({"error": ERROR, "probability": 0}, ["probability must be above 0"]),
        ({"error": ERROR, "probability": 1.5}, ["at most 1"]),
        ({"error": ERROR, "seed": 3}, ["a seed without a probability"]),
        ({"cut": pb.Cut(), "method": "*/Get"}, ["only a stream can be cut"]),
        ({"answer_lost": pb.AnswerLost(), "method": "*/Watch"}, ["has no one answer to lose"]),
        ({"stale_reads": pb.StaleReads(), "method": "*/Create"}, ["only Get and List can be stale"]),
        ({"connections": pb.Connections(mode=7)}, ["REFUSED or UNANSWERED"]),
        ({"connections": pb.Connections(), "times": 1, "method": "*/Get"}, ["no method", "no times"]),
        ({"delay": pb.Delay(), "method": "*/Fetch", "probability": 2}, ["delay.seconds", "'*/Fetch'", "probability"]),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words_for_each_thing_wrong(
    switches: pb_grpc.FaultServiceStub, rule: dict[str, Any], words: list[str]
) -> None:
    with invalid(*words):
        switches.Add(pb.Rule(**rule))

    assert not switches.List(pb.ListFaultsRequest()).rules


def test_the_port_cannot_be_shut_twice(switches: pb_grpc.FaultServiceStub) -> None:
    shut = switches.Add(pb.Rule(connections=pb.Connections()))

    with invalid(f"rule {shut.id} has shut the port already"):
        switches.Add(pb.Rule(connections=pb.Connections()))


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", ":0", "0"])
def test_faults_are_taken_on_a_loopback_address_only(listen: str) -> None:
    omni = Simulator(faults=True)
    try:
        with pytest.raises(OSError, match="loopback address only"):
            omni.start("127.0.0.1:0", listen)
    finally:
        omni.stop()


def test_a_simulator_that_was_not_asked_for_faults_has_no_port_for_them(tmp_path: Path) -> None:
    with simulator(tmp_path):
        (address,) = (tmp_path / "ready").read_text().split()
        with grpc.insecure_channel(address) as channel, refused(grpc.StatusCode.UNIMPLEMENTED):
            pb_grpc.FaultServiceStub(channel).List(pb.ListFaultsRequest())


def test_the_process_tells_where_faults_are_taken(tmp_path: Path) -> None:
    with simulator(tmp_path, "--admin-listen", "127.0.0.1:0") as (_, admin):
        _, address = (tmp_path / "ready").read_text().split()
        with grpc.insecure_channel(address) as channel:
            pb_grpc.FaultServiceStub(channel).Add(pb.Rule(error=ERROR))
        with refused(grpc.StatusCode.ABORTED):
            admin.list("Clusters")
    assert f"faults on demand are taken, from anybody on this machine, at {address}" in (tmp_path / "log").read_text()


def test_a_process_told_to_take_faults_from_everywhere_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "omni_gateway.simulator", "--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0"]

    ended = subprocess.run(
        [*command, "--key-file", str(tmp_path / "key")], capture_output=True, check=False, timeout=60
    )

    assert ended.returncode == 1
    assert b"loopback address only" in ended.stderr
