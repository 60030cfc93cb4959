"""A recorded sequence of Omni's events, watches of all kinds over it, and the frames that each of them is sent.

``python -m tests.api.watch_trace`` plays the events and stores the frames; ``test_watch_frames`` plays them again
and compares. The frames are those of the engine that the gateway had when they were stored: store them anew only for a
difference that is meant.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig, types
from omni_gateway.omni.types import OmniType
from omni_gateway.settings import Settings
from omni_gateway.store import Store
from tests.api.conftest import NO_RATES, Caller
from tests.api.recorded_omni import Event, RecordedOmni
from tests.omni_client.scripted_omni import make_key, serving

FRAMES = Path(__file__).parent / "data" / "watch_frames.json"
SSE, NDJSON = "text/event-stream", "application/x-ndjson"
CLUSTER, MACHINE = "omni.sidero.dev/cluster", "omni.sidero.dev/cluster-machine"
#: No frame for so long: the sequence goes on, when frames are stored.
SETTLED_SECONDS = 0.4


@dataclass(frozen=True)
class Watch:
    """A request for a stream. ``shared``: from informers; otherwise by watches of Omni of its own."""

    path: str
    media: str = NDJSON
    token: str = "all"
    shared: bool = True

    @property
    def name(self) -> str:
        """The name of its frames, which do not depend on where they come from."""
        return f"{self.path} {self.media} {self.token}"


_PATHS = (
    "configpatches",
    "configpatches?label_selector=tier%3Dgold",
    "configpatches?cluster=c1",
    "configpatches?machine=m1",
    "configpatches?fields=id,labels",
    "configpatches/500-a",
    "clusters/c1",
    "clusters/c1/status",
    "clusters/c1/machinesets",
    "clusters/c1/machines",
    "kernel-args",
    "kernel-args?machine=m1",
    "machines",
    "machines?connected=true",
    "machines?label_selector=rack%3Dr1",
    "machines?cluster=c1",
    "machines/m1",
    "machines?fields=id,cluster,extensions",
    "ongoingtasks",
    "ongoingtasks?resource=c1",
    "exposed-services",
)
#: Of any type, by the adapter of the gateway's own routes.
_ANY_TYPE = tuple(f"resources/{type}" for type in (types.CONFIG_PATCHES, types.KERNEL_ARGS, types.EXPOSED_SERVICES))
_SCOPED = (
    *("configpatches", "clusters", "kernel-args", "machines", "machines/m1", "ongoingtasks", "exposed-services"),
    *_ANY_TYPE,
)

WATCHES = (
    *(Watch(path) for path in _PATHS),
    *(Watch(path, token="c1") for path in _SCOPED),
    *(Watch(path, media=SSE) for path in ("configpatches", "machines")),
    *(Watch(path, shared=False) for path in _PATHS),
    *(Watch(path, token="c1", shared=False) for path in _SCOPED),
    Watch("configpatches?search=500", shared=False),
    Watch("machines?search=host-1"),
)


@dataclass
class Sequence:
    """Makes events as Omni does: a version and a time for each change."""

    events: list[Event] = field(default_factory=list)
    _bodies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def put(
        self, type: OmniType, id: str, labels: dict[str, str] | None = None, phase: str = "running", **spec: Any
    ) -> None:
        """Create an object, or update it."""
        before = self._bodies.get((type, id))
        now = f"2026-01-01T{len(self.events) // 60:02}:{len(self.events) % 60:02}:00Z"
        metadata = {
            "namespace": type.namespace,
            "type": str(type),
            "id": id,
            "version": before["metadata"]["version"] + 1 if before else 1,
            "owner": "",
            "phase": phase,
            "created": before["metadata"]["created"] if before else now,
            "updated": now,
            "labels": labels or {},
        }
        body = self._bodies[type, id] = {"metadata": metadata, "spec": spec}
        self.events.append(Event("updated" if before else "created", orjson.dumps(body).decode()))

    def remove(self, type: OmniType, id: str) -> None:
        """Tear an object down and destroy it."""
        body = self._bodies[type, id]
        self.put(type, id, body["metadata"]["labels"], "tearingDown", **body["spec"])
        self.events.append(Event("destroyed", orjson.dumps(self._bodies.pop((type, id))).decode()))


def _present(sequence: Sequence) -> None:
    """Add what is there when the watches begin."""
    for cluster in ("c1", "c2"):
        sequence.put(types.CLUSTERS, cluster, kubernetes_version="1.33.0", talos_version="1.11.0")
    sequence.put(types.CLUSTER_STATUSES, "c1", {CLUSTER: "c1"}, phase=2, ready=True)
    sequence.put(types.MACHINE_SETS, "c1-workers", {CLUSTER: "c1"}, update_strategy=1)
    sequence.put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c1", "tier": "gold"}, data="a: 1")
    sequence.put(types.CONFIG_PATCHES, "500-b", {CLUSTER: "c2"}, data="b: 1")
    sequence.put(types.CONFIG_PATCHES, "600-c", {"tier": "gold"}, data="c: 1")
    for number, cluster in ((1, "c1"), (2, "c2"), (3, "")):
        id = f"m{number}"
        labels = {"rack": f"r{number % 2}", **({CLUSTER: cluster} if cluster else {"omni.sidero.dev/available": ""})}
        sequence.put(types.MACHINES, id, management_address=f"10.0.0.{number}", connected=number != 2)
        sequence.put(
            types.MACHINE_STATUSES, id, labels, cluster=cluster, network={"hostname": f"host-{number}"}, role=2
        )
        if cluster:
            node = {CLUSTER: cluster, "omni.sidero.dev/machine-set": f"{cluster}-workers"}
            sequence.put(types.MACHINE_SET_NODES, id, node)
    sequence.put(types.EXTENSIONS_CONFIGURATIONS, "x1", {CLUSTER: "c1", MACHINE: "m1"}, extensions=["siderolabs/a"])
    for id in ("m1", "m2"):
        sequence.put(types.KERNEL_ARGS, id, args=["quiet"])
    sequence.put(types.ONGOING_TASKS, "t1", title="one", resource_id="c1", destroy={"phase": "begun"})
    sequence.put(types.EXPOSED_SERVICES, "c1/web.default", {CLUSTER: "c1"}, port=8080, label="web", url="https://web")


def _changes(sequence: Sequence) -> None:
    """Add what happens while the watches are open."""
    put, remove = sequence.put, sequence.remove
    # Objects come, change, leave a selection and a scope, come back, and go.
    put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c1", "tier": "gold"}, data="a: 2")
    put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c1", "tier": "tin"}, data="a: 3")
    put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c2", "tier": "gold"}, data="a: 4")
    put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c1", "tier": "gold"}, data="a: 5")
    put(types.CONFIG_PATCHES, "500-d", {CLUSTER: "c1", MACHINE: "m1"}, data="d: 1")
    put(types.CONFIG_PATCHES, "500-e", {"omni.sidero.dev/machine": "m1"}, data="e: 1")
    put(types.CONFIG_PATCHES, "500-f", {"omni.sidero.dev/machine": "m2"}, data="f: 1")
    put(types.CONFIG_PATCHES, "500-e", {"omni.sidero.dev/machine": "m2"}, data="e: 2")
    remove(types.CONFIG_PATCHES, "500-d")
    remove(types.CONFIG_PATCHES, "500-b")
    put(types.CLUSTER_STATUSES, "c1", {CLUSTER: "c1"}, ready=False)
    put(types.MACHINE_SETS, "c1-control-planes", {CLUSTER: "c1"}, update_strategy=1)
    put(types.MACHINE_SETS, "c2-workers", {CLUSTER: "c2"}, update_strategy=1)
    put(types.CLUSTERS, "c1", kubernetes_version="1.33.1", talos_version="1.11.0")
    put(types.CLUSTERS, "c3", kubernetes_version="1.33.0", talos_version="1.11.0")
    remove(types.CLUSTERS, "c3")
    put(types.KERNEL_ARGS, "m1", args=["loud"])
    put(types.KERNEL_ARGS, "m2", args=["loud"])
    put(types.KERNEL_ARGS, "m3", args=["loud"])
    remove(types.KERNEL_ARGS, "m3")
    put(types.ONGOING_TASKS, "t2", title="two", resource_id="c2", destroy={"phase": "begun"})
    put(types.ONGOING_TASKS, "t3", title="three", resource_id="m1", machine_upgrade={})
    put(types.ONGOING_TASKS, "t4", title="four", resource_id="m2", machine_upgrade={})
    put(types.ONGOING_TASKS, "t1", title="one", resource_id="c1", destroy={"phase": "done"})
    remove(types.ONGOING_TASKS, "t1")
    put(types.EXPOSED_SERVICES, "c2/api.default", {CLUSTER: "c2"}, port=8081, label="api", url="https://api")
    put(types.EXPOSED_SERVICES, "c1/web.default", {CLUSTER: "c1"}, port=8080, label="web", url="https://web2")
    remove(types.EXPOSED_SERVICES, "c2/api.default")
    # A machine: its connection, its labels, its extensions, the end of its membership, another cluster, its removal.
    put(types.MACHINES, "m1", management_address="10.0.0.1", connected=False)
    put(types.MACHINES, "m1", management_address="10.0.0.1", connected=True)
    _status(sequence, "m1", {"rack": "r2", CLUSTER: "c1"}, "c1")
    _status(sequence, "m1", {"rack": "r1", CLUSTER: "c1"}, "c1")
    put(types.EXTENSIONS_CONFIGURATIONS, "x1", {CLUSTER: "c1", MACHINE: "m1"}, extensions=["siderolabs/b"])
    put(types.EXTENSIONS_CONFIGURATIONS, "x0", {CLUSTER: "c1", MACHINE: "m1"}, extensions=["siderolabs/c"])
    remove(types.EXTENSIONS_CONFIGURATIONS, "x1")
    put(types.EXTENSIONS_CONFIGURATIONS, "x2", {CLUSTER: "c1"}, extensions=["siderolabs/d"])
    put(types.MACHINE_SET_NODES, "m3", {CLUSTER: "c1", "omni.sidero.dev/machine-set": "c1-workers"})
    _status(sequence, "m3", {"rack": "r1", CLUSTER: "c1"}, "c1")
    remove(types.MACHINE_SET_NODES, "m1")
    _status(sequence, "m1", {"rack": "r1", "omni.sidero.dev/available": ""}, "")
    put(types.MACHINE_SET_NODES, "m1", {CLUSTER: "c2", "omni.sidero.dev/machine-set": "c2-workers"})
    _status(sequence, "m1", {"rack": "r1", CLUSTER: "c2"}, "c2")
    put(types.MACHINES, "m4", management_address="10.0.0.4", connected=True)
    _status(sequence, "m4", {"rack": "r1"}, "")
    remove(types.MACHINE_STATUSES, "m4")
    remove(types.MACHINES, "m4")
    remove(types.MACHINES, "m2")
    remove(types.MACHINE_STATUSES, "m2")


def _status(sequence: Sequence, id: str, labels: dict[str, str], cluster: str) -> None:
    network = {"hostname": f"host-{id[1:]}"}
    sequence.put(types.MACHINE_STATUSES, id, labels, cluster=cluster, network=network, role=2)


def _last(sequence: Sequence) -> None:
    """Add changes that end with one in each watch, so that a frame too many before it is noticed."""
    put = sequence.put
    _status(sequence, "m1", {"rack": "r1", CLUSTER: "c1"}, "c1")
    put(types.MACHINE_SET_NODES, "m1", {CLUSTER: "c1", "omni.sidero.dev/machine-set": "c1-workers"})
    put(types.CONFIG_PATCHES, "500-a", {CLUSTER: "c1", "tier": "gold", MACHINE: "m1"}, data="a: 6")
    put(types.CLUSTERS, "c1", kubernetes_version="1.33.2", talos_version="1.11.0")
    put(types.CLUSTER_STATUSES, "c1", {CLUSTER: "c1"}, ready=True)
    put(types.MACHINE_SETS, "c1-workers", {CLUSTER: "c1"}, update_strategy=0)
    put(types.KERNEL_ARGS, "m1", args=["last"])
    put(types.ONGOING_TASKS, "t9", title="nine", resource_id="c1", destroy={"phase": "begun"})
    put(types.EXPOSED_SERVICES, "c1/web.default", {CLUSTER: "c1"}, port=8080, label="web", url="https://web3")


def recorded() -> tuple[list[Event], list[Event]]:
    """Return the events before the watches begin, and those while they are open."""
    sequence = Sequence()
    _present(sequence)
    count = len(sequence.events)
    _changes(sequence)
    _last(sequence)
    return sequence.events[:count], sequence.events[count:]


class OpenWatch:
    """One stream and its frames so far, read by a thread."""

    def __init__(self, app: Flask, watch: Watch, token: str) -> None:
        self.watch = watch
        self.frames: list[str] = []
        headers = {"Accept": watch.media, **({} if watch.shared else {"Cache-Control": "no-cache"})}
        self._answer: Any = Caller(app.test_client(), token).get(watch.path, headers=headers, buffered=False)
        if self._answer.status_code != 200:
            raise AssertionError(f"{watch.name}: {self._answer.status_code} {self._answer.get_data(as_text=True)}")
        threading.Thread(target=self._read, daemon=True).start()

    def has(self, count: int) -> bool:
        """Return True once so many frames have come."""
        return len(self.frames) >= count

    def _read(self) -> None:
        end = b"\n\n" if self.watch.media == SSE else b"\n"
        rest = b""
        for piece in self._answer.response:
            *frames, rest = (rest + piece).split(end)
            self.frames += [frame.decode() for frame in frames if b"HEARTBEAT" not in frame and frame[:1] != b":"]


Step = Callable[[list[OpenWatch], int], None]


def play(wait: Callable[[Callable[[], Any]], Any], after_step: Step) -> list[OpenWatch]:
    """Play the events over watches of all kinds, and return these.

    ``after_step`` is called with the watches and the number of events that have happened since they were opened; it
    returns once the watches have what the event makes of them. ``wait`` waits for a condition.
    """
    before, during = recorded()
    with _application() as (app, omni, tokens):
        for event in before:
            omni.happen(event)
        all_of_them = Caller(app.test_client(), tokens["all"])
        for path in {watch.path.partition("?")[0].partition("/")[0] for watch in WATCHES if watch.shared}:
            wait(lambda path=path: "hit" in all_of_them.get(path).headers.get("Cache-Status", "hit"))
        watches = [OpenWatch(app, watch, tokens[watch.token]) for watch in WATCHES]
        after_step(watches, 0)
        for number, event in enumerate(during, 1):
            omni.happen(event)
            after_step(watches, number)
        return watches


@contextmanager
def _application() -> Iterator[tuple[Flask, RecordedOmni, dict[str, str]]]:
    with ExitStack() as stack:
        server = stack.enter_context(serving(threads=200))
        omni = RecordedOmni(server)
        stack.callback(omni.stop)
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = OmniConfig(endpoint=f"http://127.0.0.1:{server.port}", service_account_key=make_key().text)
        room: dict[str, Any] = {"threads": 100, "max_streams": 90, "max_streams_per_caller": 90}
        settings = Settings(omni=config, state_dir=state, **room, **NO_RATES)
        app = create_app(settings)
        store = Store(settings.database_url).tokens
        tokens = {"all": store.create("all", "reader", None)[1], "c1": store.create("c1", "reader", None, ["c1"])[1]}
        yield app, omni, tokens


def main() -> None:
    """Play the events and store the frames."""
    counts: list[list[int]] = []

    def settle(watches: list[OpenWatch], _: int) -> None:
        while True:
            before = [len(watch.frames) for watch in watches]
            time.sleep(SETTLED_SECONDS)
            if before == [len(watch.frames) for watch in watches]:
                counts.append(before)
                return

    def wait(condition: Callable[[], Any]) -> None:
        while not condition():
            time.sleep(0.1)

    watches = play(wait, settle)
    begins = [[0] * len(watches), *counts[:-1]]
    frames: dict[str, list[list[str]]] = {}
    for index, watch in enumerate(watches):
        steps = [watch.frames[begin[index] : end[index]] for begin, end in zip(begins, counts, strict=True)]
        if frames.setdefault(watch.watch.name, steps) != steps:
            raise AssertionError(f"{watch.watch.name}: informers and streams of its own give different frames")
    FRAMES.write_text(json.dumps(frames, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
