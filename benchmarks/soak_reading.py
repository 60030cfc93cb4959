"""Readers of a soak: objects and lists of several types, in all the ways in which they may be asked for."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from benchmarks.soak_checks import LABEL, QUICK, Ledger, Seen, page_faults, written
from benchmarks.soak_connections import Answer, Connection
from benchmarks.soak_writing import PATHS, names_of

FRESH = {"Cache-Control": "no-cache"}
_HOWS: tuple[dict[str, str], ...] = ({}, {}, {}, {}, FRESH, {"Cache-Control": "max-age=1"})
#: Tags that are kept for conditional requests.
_MOST_TAGS = 200


@dataclass(frozen=True)
class Listing:
    """A list to ask for. ``type``: of which objects of the soak it shows all on one page. ``sorted``: by id."""

    path: str
    type: str = ""
    sorted: bool = True


LISTINGS = (
    Listing("configpatches?page_size=1000", PATHS["configpatches"]),
    Listing(f"configpatches?label_selector={LABEL}&page_size=1000", PATHS["configpatches"]),
    Listing(f"configpatches?label_selector={LABEL}-part%3D1"),
    Listing("configpatches?page_size=10&page=2"),
    Listing("configpatches?sort=-created&page_size=1000", sorted=False),
    Listing("configpatches?search=soak-1", sorted=False),
    Listing("configpatches?fields=annotations,metadata.phase&page_size=1000", PATHS["configpatches"]),
    Listing("resources/configpatches?page_size=1000", PATHS["configpatches"]),
    Listing("machineclasses?page_size=1000", PATHS["machineclasses"]),
    Listing(f"machineclasses?label_selector={LABEL}%2C{LABEL}-part+in+(0,2)"),
    Listing("machineclasses?sort=-id", sorted=False),
    Listing("machines"),
    Listing("machines?page=3&page_size=100"),
    Listing("machines?label_selector=omni.sidero.dev/available&page_size=50"),
    Listing("machines?connected=true&page_size=20"),
    Listing("resources/machinestatuses?page_size=200"),
    Listing("clusters"),
    Listing("clustermachines"),
    Listing("machinesets"),
)


class Reader:
    """One client that reads."""

    def __init__(self, seed: int, ledger: Ledger, ids: list[tuple[str, str]], writers: int) -> None:
        """``ids``: collections and ids of objects that are always there. ``writers``: how many write."""
        self._dice = random.Random(seed)
        self._ledger, self._ids = ledger, ids
        self._tags: dict[str, str] = {}
        self._written_names = [name for writer in range(writers) for name in names_of(writer)]

    def step(self, connection: Connection, seen: Seen) -> None:
        """Ask for one thing."""
        draw = self._dice.random()
        if draw < 0.45:
            self._written(connection, seen)
        elif draw < 0.6:
            path, id = self._dice.choice(self._ids)
            self._asked(connection, f"{path}/{id}", "GET of a fixed object", (200, 304))
        else:
            self._list(connection, seen)

    def _asked(self, connection: Connection, path: str, what: str, expected: tuple[int, ...]) -> Answer | None:
        headers = dict(self._dice.choice(_HOWS))
        tag = self._tags.get(path) if self._dice.random() < 0.3 else None
        if tag:
            headers["If-None-Match"] = tag
        answer = connection.ask("GET", path, headers)
        if not self._ledger.count(what, answer, expected):
            return None
        if answer.status == 304:
            if tag is None or answer.headers.get("etag") != tag:
                self._ledger.found("304 of another tag", f"{path}: asked {tag}, answered {answer.headers.get('etag')}")
            return None
        if "etag" in answer.headers and len(self._tags) < _MOST_TAGS:
            self._tags[path] = answer.headers["etag"]
        return answer

    def _written(self, connection: Connection, seen: Seen) -> None:
        """Read an object that writers write: what one worker has shown may not go back."""
        name = self._dice.choice(self._written_names)
        path, id, type = name.path, name.id, PATHS[name.path]
        where = "resources/" if path == "configpatches" and self._dice.random() < 0.3 else ""
        answer = self._asked(connection, f"{where}{path}/{id}", "GET of a written object", (200, 304, 404))
        if answer is None:
            return
        if id.startswith(QUICK):
            return
        if answer.status == 404:
            seen.absent(type, id)
            return
        text = seen.shown(type, id, written(answer.json()) or 0)
        if text:
            self._ledger.found("went back in time", f"{text} ({answer.headers.get('cache-status')})")

    def _list(self, connection: Connection, seen: Seen) -> None:
        listing = self._dice.choice(LISTINGS)
        answer = self._asked(connection, listing.path, f"list {listing.path.partition('?')[0]}", (200, 304))
        if answer is None:
            return
        documents = answer.json()
        for text in page_faults(documents, json.loads(answer.headers["x-pagination"]), by_id=listing.sorted):
            self._ledger.found("a page that does not fit", f"{listing.path}: {text}")
        if f"label_selector={LABEL}" in listing.path:
            for each in documents:
                if LABEL not in each["labels"]:
                    self._ledger.found("a filter let something through", f"{listing.path}: {each['id']}")
        type = PATHS.get(listing.path.partition("?")[0].removeprefix("resources/"))
        if type is None:
            return
        for text in seen.listed(type, documents, whole=bool(listing.type)):
            self._ledger.found("went back in time", f"{listing.path}: {text} ({answer.headers.get('cache-status')})")


def fixed(ids: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return collections and ids, as many of each collection's as may be asked for again and again."""
    return [(path, id) for path, those in ids.items() for id in those[:20] if not id.startswith(QUICK)]
