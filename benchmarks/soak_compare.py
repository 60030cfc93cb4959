"""What each worker shows at rest, held against what Omni holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchmarks.processes import Target
from benchmarks.soak_connections import Answer, Connection, one_of_each
from omni_gateway.omni import OmniClient, types

FRESH = {"Cache-Control": "no-cache"}
Document = Mapping[str, Any]
#: Differences by what differs (id, and in what), each with its words.
Found = dict[tuple[str, str], str]
QUIET_SECONDS = 40.0
ROUNDS, ROUND_SECONDS = 5, 0.5


@dataclass(frozen=True)
class Kind:
    """A collection, and the type that its objects come from. ``joined``: from more than one, so only ids are Omni's."""

    path: str
    type: types.OmniType
    joined: bool = False


KINDS = (
    Kind("configpatches", types.CONFIG_PATCHES),
    Kind("resources/configpatches", types.CONFIG_PATCHES),
    Kind("machineclasses", types.MACHINE_CLASSES),
    Kind("clusters", types.CLUSTERS),
    Kind("machinesets", types.MACHINE_SETS),
    Kind("clustermachines", types.CLUSTER_MACHINES),
    Kind("machines", types.MACHINES, joined=True),
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
    """Return the ids of which Omni said the same before and after something, that there is none included."""
    first, last = ({each["metadata"]["id"]: each for each in read} for read in (before, after))
    moved = {id for id in first.keys() | last.keys() if first.get(id) != last.get(id)}
    return (first.keys() | last.keys()) - moved


def persistent(look: Callable[[], Found]) -> Found:
    """Look several times, and return the differences that are there each time: Omni's own objects may move."""
    found = look()
    for _ in range(ROUNDS - 1):
        if not found:
            break
        time.sleep(ROUND_SECONDS)
        again = look()
        found = {key: again[key] for key in found if key in again}
    return found


class Comparison:
    """One comparison of everything that was used, at rest; ``compared`` counts the answers that were held."""

    def __init__(self, target: Target, omni: OmniClient) -> None:
        self._omni = omni
        self._target = target
        self.compared = 0

    def run(self) -> list[str]:
        """Return every difference, in words."""
        texts = []
        connections = one_of_each(self._target)
        try:
            for pid, connection in connections.items():
                for kind in KINDS:
                    quiet = self._quiet(connection, kind)
                    found = persistent(lambda c=connection, k=kind: self._lists(c, k))  # type: ignore[misc]
                    found |= self._objects(connection, kind)
                    texts += [f"worker {pid}, {kind.path}: {text}" for text in (*quiet, *found.values())]
        finally:
            for each in connections.values():
                each.close()
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

    def _lists(self, connection: Connection, kind: Kind) -> Found:
        path = f"{kind.path}?page_size=1000"
        before = self._omni.resources.list(kind.type).items
        kept = connection.ask("GET", path)
        fresh = connection.ask("GET", path, FRESH)
        after = self._omni.resources.list(kind.type).items
        self.compared += 1
        if kept.status != 200:
            return {("", "status"): f"{path}: {kept.status} {kept.body[:200]!r}"}
        still = unmoved(before, after)
        found = differences(before, kept.json(), ids_only=kind.joined)
        found = {key: text for key, text in found.items() if key[0] in still}
        return found | unlike(path, kept, fresh)

    def _objects(self, connection: Connection, kind: Kind) -> Found:
        found: Found = {}
        for each in self._omni.resources.list(kind.type).items:
            id = each["metadata"]["id"]
            path = f"{kind.path}/{quote(id, safe='')}"
            found |= persistent(lambda p=path: self._one(connection, p))  # type: ignore[misc]
        return found

    def _one(self, connection: Connection, path: str) -> Found:
        self.compared += 1
        return unlike(path, connection.ask("GET", path), connection.ask("GET", path, FRESH))
