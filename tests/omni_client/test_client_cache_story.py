"""The cache against the simulator, with its faults: no read shows what was never so, or what was before.

Others write by a client of their own; this process writes and reads by one that keeps what its watch tells. Watches are
cut and refused, answers of writes are lost. Each write of an object has a number, so what a read shows is one of the
states that the object has been in: it may be late, but never go back, and never be before this process's own writes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

import grpc
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from omni_gateway.cache.client import CachingClient
from omni_gateway.cache.read_record import ReadRecord
from omni_gateway.omni import OmniClient, OmniConfig, errors, types
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.stubs import simulator_faults_pb2 as pb
from tests.examples import examples

pytestmark = pytest.mark.slow

TYPE = types.MACHINE_CLASSES
PREFIX = "story-"
IDS = st.sampled_from(["a", "b", "c"])
ALL = "all"
UNAVAILABLE = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0])
PATIENCE_SECONDS = 15.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=1) as running:
        yield running


class Story(RuleBasedStateMachine):
    simulator: ClassVar[RunningSimulator]

    @initialize()
    def begin(self) -> None:
        config = OmniConfig(self.simulator.endpoint, self.simulator.key, timeout=5)
        self.others, self.we = OmniClient(config), CachingClient(config)
        self.we.cache.max_size = 1024 * 1024
        for item in self.others.resources.list(TYPE).items:
            self.others.resources.remove(TYPE, item["metadata"]["id"])
        #: What each object has been, in order: the number of its last write, or None where there was none.
        self.states: dict[str, list[int | None]] = defaultdict(lambda: [None])
        #: Which of these a read may not go behind.
        self.seen: dict[str, int] = defaultdict(int)
        self.versions: dict[str, int] = defaultdict(int)
        self.last_versions: dict[str, int] = defaultdict(int)
        self.answers: dict[str, tuple[ReadRecord, dict[str, int]]] = {}
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "we"):
            self.simulator.faults.clear()
            self.reads_are_hits_and_true_in_the_end()
            self.we.close()
            self.others.close()

    def reads_are_hits_and_true_in_the_end(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            record = ReadRecord()
            shown = self.list(record)
            if record.is_hit and shown == {id: now[-1] for id, now in self.states.items() if now[-1] is not None}:
                return
            assert time.monotonic() < deadline, "what Omni holds is not shown from the cache in the end"

    # -- writes

    def write(self, client: OmniClient, id: str) -> None:
        """Make or change an object.

        One that is made anew is changed until its version is later than that of the one before: Omni tells when objects
        were made to the second only, so those of one second are told apart by nothing else (docs/caching.md).
        """
        made = self.states[id][-1] is None
        self.one_write(client, id)
        while made and self.versions[id] <= self.last_versions[id]:
            self.one_write(client, id)

    def one_write(self, client: OmniClient, id: str) -> None:
        self.number += 1
        labels, spec = {"n": str(self.number)}, {"match_labels": ["a = b"]}
        made = self.states[id][-1] is None
        self.versions[id] = 1 if made else self.versions[id] + 1
        self.states[id].append(self.number)
        if made:
            client.resources.create(TYPE, PREFIX + id, spec, labels=labels)
        else:
            metadata = {"namespace": "default", "type": TYPE, "id": PREFIX + id, "labels": labels}
            client.resources.update({"metadata": metadata, "spec": spec}, version=None)

    def remove(self, client: OmniClient, id: str) -> None:
        if self.states[id][-1] is not None:
            self.states[id].append(None)
            self.last_versions[id] = self.versions[id] + 1  # a removal is a write too
            client.resources.remove(TYPE, PREFIX + id)

    @rule(id=IDS)
    def others_write(self, id: str) -> None:
        self.write(self.others, id)

    @rule(id=IDS)
    def others_remove(self, id: str) -> None:
        self.remove(self.others, id)

    @rule(id=IDS)
    def we_write(self, id: str) -> None:
        self.write(self.we, id)
        self.seen[id] = len(self.states[id]) - 1

    @rule(id=IDS)
    def we_write_and_the_answer_is_lost(self, id: str) -> None:
        if self.states[id][-1] is None:
            return
        lost = pb.Rule(method="*/Update", resource_id=PREFIX + id, answer_lost=pb.AnswerLost(), times=1)
        with self.simulator.faults.during(lost):
            self.one_write(self.we, id)  # the client looks what became of it
        self.seen[id] = len(self.states[id]) - 1

    @rule(id=IDS)
    def we_remove(self, id: str) -> None:
        self.remove(self.we, id)
        self.seen[id] = len(self.states[id]) - 1

    # -- faults

    @rule()
    def the_watch_is_cut_at_its_next_word(self) -> None:
        self.simulator.faults.add(pb.Rule(method="*/Watch", resource_type=TYPE, cut=pb.Cut(), times=1))

    @rule()
    def the_next_watch_is_refused(self) -> None:
        self.simulator.faults.add(pb.Rule(method="*/Watch", resource_type=TYPE, error=UNAVAILABLE, times=1))

    # -- reads

    def list(self, record: ReadRecord) -> dict[str, int]:
        items = self.we.reading(lambda: record).resources.list(TYPE).items
        return {str(item["metadata"]["id"]).removeprefix(PREFIX): number_of(item) for item in items}

    def shows(self, id: str, number: int | None) -> None:
        states, seen = self.states[id], self.seen[id]
        assert number in states[seen:], f"{id} shows {number} after {states[: seen + 1]}; since: {states[seen:]}"
        self.seen[id] = states.index(number, seen)

    def shows_all(self, shown: dict[str, int]) -> None:
        for id in ("a", "b", "c"):
            self.shows(id, shown.get(id))

    @rule()
    def a_list_is_read(self) -> None:
        record = ReadRecord()
        shown = self.list(record)
        self.shows_all(shown)
        self.answers[ALL] = record, shown

    @rule()
    def a_list_is_read_afresh(self) -> None:
        shown = self.list(ReadRecord(max_age=0))
        assert shown == {id: now[-1] for id, now in self.states.items() if now[-1] is not None}
        self.shows_all(shown)

    @rule(id=IDS)
    def an_object_is_read(self, id: str) -> None:
        record = ReadRecord()
        try:
            shown = {id: number_of(self.we.reading(lambda: record).resources.get(TYPE, PREFIX + id))}
        except errors.NotFound:
            shown = {}
        self.shows(id, shown.get(id))
        self.answers[id] = record, shown

    @rule(question=st.sampled_from(["a", "b", "c", ALL]))
    def an_answer_is_given_again(self, question: str) -> None:
        record, shown = self.answers.get(question, (ReadRecord(), {}))
        if not record.is_hit or self.we.cache.age_of(record.dependencies, None) is None:
            return
        if question == ALL:
            self.shows_all(shown)
        else:
            self.shows(question, shown.get(question))


def number_of(item: Any) -> int:
    return int(item["metadata"]["labels"]["n"])


def test_no_read_goes_back_whatever_is_written_cut_or_lost(simulator: RunningSimulator) -> None:
    Story.simulator = simulator
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=examples(20, fuzz=40),
            derandomize=True,
            phases=[Phase.generate],  # what depends on time cannot be made smaller
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
