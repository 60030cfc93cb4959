"""What goes wrong during a soak: faults that come and go by a seed, and when one may be to blame for an answer."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import grpc

from omni_gateway.stubs import simulator_faults_pb2 as pb
from omni_gateway.stubs import simulator_faults_pb2_grpc as pb_grpc

#: Seconds that a gateway under this waits for an answer of Omni's.
PATIENCE = 3.0
#: How long after a fault a call that was under way, and its repetition, may still end badly.
AFTER_CALLS = PATIENCE + 2.0
#: gRPC waits up to five seconds before it connects again.
AFTER_CONNECTIONS = AFTER_CALLS + 6.0
QUIET_SECONDS = (2.0, 8.0)
_READS = ("*/Get", "*/List")
_WRITES = ("*/Create", "*/Update", "*/Teardown", "*/Delete")

Make = Callable[[random.Random], pb.Rule]


def _cut(dice: random.Random) -> pb.Rule:
    return pb.Rule(method="*/Watch", cut=pb.Cut(after_messages=dice.randint(0, 40)), seconds=dice.uniform(1, 4))


def _unavailable(dice: random.Random) -> pb.Rule:
    error = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0], message="a fault of the soak")
    return pb.Rule(error=error, probability=dice.choice((0.3, 1.0)), seed=dice.randint(1, 999), seconds=4)


def _slow(dice: random.Random) -> pb.Rule:
    delay = pb.Delay(seconds=dice.uniform(0.1, 1.5))
    return pb.Rule(delay=delay, probability=0.3, seed=dice.randint(1, 999), seconds=6)


def _lost(dice: random.Random) -> pb.Rule:
    lost = pb.AnswerLost(hang=dice.random() < 0.3)
    return pb.Rule(method=dice.choice(_WRITES), answer_lost=lost, times=dice.randint(1, 8), seconds=6)


def _silent(dice: random.Random) -> pb.Rule:
    return pb.Rule(method=dice.choice(_READS + _WRITES), silence=pb.Silence(), every=3, seconds=4)


def _refused(dice: random.Random) -> pb.Rule:
    return pb.Rule(connections=pb.Connections(mode=pb.Connections.REFUSED), seconds=dice.uniform(1, 5))


def _half_open(dice: random.Random) -> pb.Rule:
    return pb.Rule(connections=pb.Connections(mode=pb.Connections.UNANSWERED), seconds=dice.uniform(3, 9))


KINDS: dict[str, Make] = {
    "watches cut": _cut,
    "Unavailable": _unavailable,
    "slow answers": _slow,
    "answer lost after the write": _lost,
    "calls without an answer": _silent,
    "Omni refuses connections": _refused,
    "Omni half open": _half_open,
}


class Faults:
    """Faults that come and go in a thread of their own while :attr:`running`."""

    def __init__(self, admin_address: str, seed: int) -> None:
        self._channel = grpc.insecure_channel(admin_address)
        self._stub = pb_grpc.FaultServiceStub(self._channel)
        self._dice = random.Random(seed)
        self._wake = threading.Condition()
        self._running = self._closed = False
        #: When each began and was over, and for how long after that it may still be to blame.
        self._spans: list[tuple[float, float, float]] = []
        self.came: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, daemon=True, name="faults")
        self._thread.start()

    def resume(self) -> None:
        """Let faults come."""
        with self._wake:
            self._running = True
            self._wake.notify_all()

    def clear(self) -> None:
        """End whatever is wrong, and let nothing come until :meth:`resume`."""
        with self._wake:
            self._running = False
            self._wake.notify_all()
            self._stub.Clear(pb.ClearFaultsRequest())
            now = time.monotonic()
            self._spans = [(start, min(end, now), after) for start, end, after in self._spans[-20:]]

    def close(self) -> None:
        """End the thread."""
        self.clear()
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join()
        self._channel.close()

    def excuse(self, asked: float, came: float) -> bool:
        """Whether a fault was on, or had just ended, at any time between two (monotonic)."""
        return any(start <= came and asked <= end + after for start, end, after in list(self._spans))

    def _run(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait_for(lambda: self._running or self._closed)
                self._wake.wait_for(lambda: not self._running, self._dice.uniform(*QUIET_SECONDS))
                if not self._running or self._closed:
                    continue
                seconds = self._begin()
                self._wake.wait_for(lambda: not self._running, seconds)

    def _begin(self) -> float:
        name = self._dice.choice(sorted(KINDS))
        rule = KINDS[name](self._dice)
        connections = rule.WhichOneof("fault") == "connections"
        now = time.monotonic()
        after = AFTER_CONNECTIONS if connections else AFTER_CALLS
        self._spans.append((now, now + rule.seconds, after))
        self._stub.Add(rule)
        self.came[name] += 1
        return float(rule.seconds)
