"""What happens to a cluster in its life, as watches of its types tell it, stage by stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from tests.conformance.outcomes import Divergence
from tests.simulator.caller import Caller

DEADLINE = 1800.0
NAMESPACES = {"OngoingTasks": "ephemeral", "UpgradeRollouts": "ephemeral", "MachineSetDestroyStatuses": "ephemeral"}
NAMESPACES |= {"EtcdBackupStatuses": "metrics"}
TYPES = [
    "Clusters",
    "ClusterStatuses",
    "ClusterBootstrapStatuses",
    "ClusterDestroyStatuses",
    "ClusterMachineStatuses",
    "ConfigPatches",
    "ControlPlaneStatuses",
    "DiscoveryAffiliateDeleteTasks",
    "EtcdBackupStatuses",
    "ImagePullRequests",
    "ImagePullStatuses",
    "KubernetesStatuses",
    "KubernetesUpgradeStatuses",
    "LoadBalancerStatuses",
    "MachineConfigDiffs",
    "MachinePendingUpdates",
    "MachineSets",
    "MachineSetDestroyStatuses",
    "MachineSetStatuses",
    "MachineStatuses",
    "MachineStatusSnapshots",
    "OngoingTasks",
    "TalosUpgradeStatuses",
    "UpgradeRollouts",
]

Values = list[Any]


@dataclass(frozen=True)
class Told:
    """One event, and the stage in which it came."""

    stage: str
    type: str
    id: str
    kind: str
    spec: dict[str, Any]
    labels: dict[str, str]


@dataclass
class Story:
    """The events of every type, in the order of their coming; within one type that is the order of the writes."""

    events: list[Told] = field(default_factory=list)
    stage: str = "before"
    names: dict[str, Any] = field(default_factory=dict)
    gone_by_then: dict[tuple[str, str], dict[str, bool]] = field(default_factory=dict)
    _last: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, type_: str, kind: str, resource: dict[str, Any], look: Callable[[], dict[str, bool]] | None) -> None:
        """Take in an event; ``look`` tells what else is gone at that moment."""
        meta = resource["metadata"]
        seen = look() if look else None
        with self._lock:
            self.events.append(Told(self.stage, type_, meta["id"], kind, resource["spec"], meta.get("labels", {})))
            if seen is not None:
                self.gone_by_then[(type_, meta["id"])] = seen
            self._last = time.monotonic()

    def begin(self, stage: str, quiet: float) -> None:
        """Go on to the next stage once nothing has happened for a moment."""
        deadline = time.monotonic() + 20 * quiet + 5
        while time.monotonic() < deadline and time.monotonic() - self._last < quiet:
            time.sleep(quiet / 10)
        self.stage = stage

    def of(self, stage: str, type_: str, id_: str | None = None) -> list[Told]:
        """Return what was told of an object, or of every object of a type, in a stage."""
        return [e for e in self.events if e.stage == stage and e.type == type_ and id_ in (None, e.id)]

    def values(self, stage: str, type_: str, id_: str, field_: str) -> Values:
        """Return the values that a field went through in a stage; what it had before the stage comes first."""
        told = [event for event in self.events if event.type == type_ and event.id == id_ and event.kind != "destroyed"]
        stages = list(dict.fromkeys(event.stage for event in self.events))
        before = [event for event in told if stages.index(event.stage) < stages.index(stage)][-1:]
        found = [event.spec.get(field_) for event in before + [event for event in told if event.stage == stage]]
        return [value for index, value in enumerate(found) if index == 0 or value != found[index - 1]]

    def kinds(self, stage: str, type_: str, id_: str) -> list[str]:
        """Return what happened to an object in a stage: created, updated, destroyed, without repetitions."""
        return list(dict.fromkeys(event.kind for event in self.of(stage, type_, id_)))


def goes_through(values: Values, *wanted: Any) -> None:
    """Demand that values appear in this order; others may come in between (a partial order)."""
    rest = iter(values)
    for value in wanted:
        if not any(value == found for found in rest):
            raise Divergence(f"in this order: {list(wanted)}", values)


@contextmanager
def listening(
    caller: Caller, story: Story, looks: dict[tuple[str, str], Callable[[], dict[str, bool]]]
) -> Iterator[None]:
    """Watch every type until the block ends; ``looks`` are for an object's end."""
    with ExitStack() as stack:
        ready = []
        for type_ in TYPES:
            events = stack.enter_context(
                caller.watch(type_, namespace=NAMESPACES.get(type_, "default"), timeout=DEADLINE)
            )
            ready.append(threading.Event())
            threading.Thread(target=_listen, args=(events, type_, story, looks, ready[-1]), daemon=True).start()
        for event in ready:
            if not event.wait(30):
                raise Divergence("every watch is bootstrapped within 30 s", "not all are")
        yield


def _listen(events: Any, type_: str, story: Story, looks: Any, ready: threading.Event) -> None:
    try:
        while True:
            kind, resource, _ = events.next()
            if kind == "bootstrapped":
                ready.set()
            elif resource:
                key = (type_, resource["metadata"]["id"])
                story.hear(type_, kind, resource, looks.get(key) if kind == "destroyed" else None)
    except (grpc.RpcError, StopIteration):
        return  # the block has ended
