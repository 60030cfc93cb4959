"""What each worker shows at rest, held against what Omni holds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchmarks.processes import Target
from benchmarks.soak_connections import Answer, Connection, connection_to
from benchmarks.speed_load import workers
from omni_gateway.omni import OmniClient, types

FRESH = {"Cache-Control": "no-cache"}
Document = Mapping[str, Any]
#: Differences by what differs (id, and in what), each with its words.
Found = dict[tuple[str, str], str]
QUIET_SECONDS = 40.0
#: What Omni has not changed for so long is shown by whoever follows it.
SETTLED_SECONDS = 0.5


@dataclass(frozen=True)
class Kind:
    """A collection, and the type that its objects come from.

    ``others``: further types, of which parts are joined to the objects of the same id; then only ids are Omni's.
    """

    path: str
    type: types.OmniType
    others: tuple[types.OmniType, ...] = ()


KINDS = (
    Kind("configpatches", types.CONFIG_PATCHES),
    Kind("resources/configpatches", types.CONFIG_PATCHES),
    Kind("machineclasses", types.MACHINE_CLASSES),
    Kind("clusters", types.CLUSTERS),
    Kind("machinesets", types.MACHINE_SETS),
    Kind("clustermachines", types.CLUSTER_MACHINES),
    Kind("machines", types.MACHINES, (types.MACHINE_STATUSES, types.MACHINE_SET_NODES)),
    Kind("resources/machinestatuses", types.MACHINE_STATUSES),
)


def differences(held: Iterable[Document], shown: Iterable[Document], *, ids_only: bool = False) -> Found:
    """Compare what Omni holds (its own JSON) with a gateway's documents: ids, versions, phase, labels, annotations."""
    omni = {each["metadata"]["id"]: each["metadata"] for each in held}
    found: Found = {}
    listed: dict[str, Document] = {}
    for each in shown:
        if each["id"] in listed:
            found[each["id"], "twice"] = f"{each['id']} is shown twice"
        listed[each["id"]] = each
    found |= {(id, "missing"): f"{id} is not shown" for id in omni.keys() - listed.keys()}
    found |= {(id, "extra"): f"{id} is shown, Omni has none" for id in listed.keys() - omni.keys()}
    if ids_only:
        return found
    for id in omni.keys() & listed.keys():
        expected = {
            "version": int(omni[id].get("version", 0)),
            "phase": omni[id].get("phase", ""),
            "labels": omni[id].get("labels") or {},
            "annotations": omni[id].get("annotations") or {},
        }
        document = listed[id]
        got = {name: document["metadata"][name] for name in ("version", "phase")}
        got |= {name: document[name] or {} for name in ("labels", "annotations")}
        for name, value in expected.items():
            if got[name] != value:
                found[id, name] = f"{id}: {name} is shown as {got[name]!r}, Omni has {value!r}"
    return found


def unlike(what: str, kept: Answer, fresh: Answer) -> Found:
    """Compare an answer from the cache with one that Omni was asked for: status, bytes, ETag."""
    found: Found = {}
    for name, one, other in (
        ("status", kept.status, fresh.status),
        ("ETag", kept.headers.get("etag"), fresh.headers.get("etag")),
        ("body", kept.body, fresh.body),
    ):
        if one != other:
            found[what, name] = f"{what}: {name} {one!r:.300} from the cache, {other!r:.300} from Omni"
    return found


def unmoved(before: Iterable[Document], after: Iterable[Document]) -> set[str]:
    """Return the ids of which Omni said the same before and after something."""
    texts = [{(each["metadata"]["type"], each["metadata"]["id"]): each for each in read} for read in (before, after)]
    keys = texts[0].keys() | texts[1].keys()
    moved = {key[1] for key in keys if texts[0].get(key) != texts[1].get(key)}
    return {id for _, id in keys} - moved


@dataclass
class Shown:
    """What a worker shows of one kind: the list, and each object by its id."""

    whole: Answer
    objects: dict[str, Answer]


def compared(kind: Kind, before: list[Document], kept: Shown, fresh: Shown, after: list[Document]) -> Found:
    """Hold what a worker has kept against Omni's own words before and after, and against its answers past the cache.

    Objects that moved meanwhile are held against nothing, and neither is the list's body then.
    """
    still = unmoved(before, after)
    held = [each for each in before if each["metadata"]["type"] == kind.type]
    found: Found = {}
    if kept.whole.status != 200:
        return {(kind.path, "status"): f"{kind.path}: {kept.whole.status} {kept.whole.body[:200]!r}"}
    documents = kept.whole.json()
    listed = differences(held, documents, ids_only=bool(kind.others))
    seen = still | ({each["id"] for each in documents} - {each["metadata"]["id"] for each in (*before, *after)})
    found |= {key: text for key, text in listed.items() if key[0] in seen}
    for each in held:
        id = each["metadata"]["id"]
        if id not in still:
            continue
        found |= unlike(f"{kind.path}/{id}", kept.objects[id], fresh.objects[id])
        if kept.objects[id].status == 200 and not kind.others:
            own = differences([each], [kept.objects[id].json()])
            found |= {(f"{kind.path}/{key[0]}", key[1]): text for key, text in own.items()}
    if len(still) == len({each["metadata"]["id"] for each in (*before, *after)}):
        found |= unlike(f"the list {kind.path}", kept.whole, fresh.whole)
    return found


class Comparison:
    """One comparison of everything that was used, at rest; ``compared`` counts the answers that were asked for."""

    def __init__(self, target: Target, omni: OmniClient) -> None:
        self._omni = omni
        self._target = target
        self.compared = 0

    def run(self) -> list[str]:
        """Return every difference, in words."""
        texts = []
        for pid in workers(self._target):
            with connection_to(self._target, pid) as connection:
                for kind in KINDS:
                    found = [*self._quiet(connection, kind), *self._kind(connection, kind).values()]
                    texts += [f"worker {pid}, {kind.path}: {text}" for text in found]
        return texts

    def _quiet(self, connection: Connection, kind: Kind) -> list[str]:
        """Wait until a worker answers from its cache."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            answer = connection.ask("GET", f"{kind.path}?page_size=1000")
            if answer.status == 200 and answer.hit:
                return []
            time.sleep(0.1)
        status = answer.headers.get("cache-status")
        return [f"after {QUIET_SECONDS:g} s still {answer.status}, {status}: nothing from the cache"]

    def _kind(self, connection: Connection, kind: Kind) -> Found:
        """Ask for what is kept first: an answer of Omni's would make the worker look again at what it keeps."""
        before = self._held(kind)
        time.sleep(SETTLED_SECONDS)
        ids = [each["metadata"]["id"] for each in before if each["metadata"]["type"] == kind.type]
        kept, fresh = (self._shown(connection, kind, ids, headers) for headers in ({}, FRESH))
        return compared(kind, before, kept, fresh, self._held(kind))

    def _held(self, kind: Kind) -> list[Document]:
        return [each for type in (kind.type, *kind.others) for each in self._omni.resources.list(type).items]

    def _shown(self, connection: Connection, kind: Kind, ids: list[str], headers: dict[str, str]) -> Shown:
        whole = connection.ask("GET", f"{kind.path}?page_size=1000", headers)
        objects = {id: connection.ask("GET", f"{kind.path}/{quote(id, safe='')}", headers) for id in ids}
        self.compared += 1 + len(objects)
        return Shown(whole, objects)
