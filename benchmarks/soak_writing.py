"""Writers of a soak: each has names of its own, so that it knows what must be shown of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.soak_checks import LABEL, MARK, QUICK, Ledger, Seen, written
from benchmarks.soak_connections import Answer, Connection
from omni_gateway.omni import OmniClient, OmniError, types

NAMES = 12
#: Omni tells to the second when an object was made: one that lived longer is told apart from the next of its name.
LIFE_SECONDS = 2.2
#: After a write of which nobody knows whether it was done.
UNSURE_SECONDS = 1.0
FRESH = {"Cache-Control": "no-cache"}
PATHS = {"configpatches": types.CONFIG_PATCHES, "machineclasses": types.MACHINE_CLASSES}


@dataclass
class Name:
    """One name and what its writer knows of it. ``there``: None when it does not know; ``born``: monotonic."""

    path: str
    id: str
    number: int = 0
    there: bool | None = None
    sure_at: float = 0.0
    born: float = 0.0
    old_tag: str = ""

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"{self.path}/{self.id}"

    def spec(self) -> dict[str, Any]:
        """Return a spec of the present number."""
        if self.path == "configpatches":
            return {"data": f"machine:\n  sysctls:\n    net.core.somaxconn: '{4096 + self.number % 9}'\n"}
        return {"match_labels": [f"soak-number = {self.number % 9}"]}

    def labels(self) -> dict[str, str]:
        """Return its labels."""
        return {LABEL: "", f"{LABEL}-part": str(self.number % 3)}

    def document(self) -> dict[str, Any]:
        """Return it as the gateway takes it."""
        return {"id": self.id, **self.spec(), "labels": self.labels(), "annotations": {MARK: str(self.number)}}


def names_of(writer: int) -> list[Name]:
    """Return the names that are one writer's alone, and among them those that live short (see :data:`QUICK`)."""
    return [
        Name(path, f"{prefix}{writer}-{number:02d}")
        for path in PATHS
        for prefix, count in (("soak-", NAMES), (QUICK, NAMES // 3))
        for number in range(count)
    ]


class Writer:
    """One client that writes through a gateway and past it, and looks for its own writes at the same worker."""

    def __init__(self, number: int, seed: int, ledger: Ledger, omni: OmniClient) -> None:
        self._dice = random.Random(seed)
        self._ledger, self._omni = ledger, omni
        self._names = names_of(number)

    def step(self, connection: Connection, seen: Seen) -> None:
        """Do one thing to one name."""
        name = self._dice.choice(self._names)
        if name.there is None:
            self._learn(name, connection)
        elif not name.there:
            self._make(name, connection, seen)
        elif self._dice.random() < 0.25:
            self._remove(name, connection, seen)
        else:
            self._change(name, connection, seen)

    def _learn(self, name: Name, connection: Connection) -> None:
        if time.monotonic() < name.sure_at:
            return
        answer = connection.ask("GET", name.url, FRESH)
        if self._ledger.count("GET no-cache", answer, (200, 404)):
            name.there = answer.status == 200 and answer.json()["metadata"]["phase"] == "running"
            if answer.status == 200 and not name.there:
                name.there, name.sure_at = None, time.monotonic() + UNSURE_SECONDS

    def _make(self, name: Name, connection: Connection, seen: Seen) -> None:
        name.number += 1
        name.born = time.monotonic()
        if self._dice.random() < 0.3:
            self._directly(
                name,
                lambda: self._omni.resources.create(
                    PATHS[name.path], name.id, name.spec(), labels=name.labels(), annotations={MARK: str(name.number)}
                ),
                there=True,
            )
            return
        answer = connection.ask("POST", name.path, body=name.document())
        self._written(name, "POST", answer, (201,), connection, seen)

    def _change(self, name: Name, connection: Connection, seen: Seen) -> None:
        name.number += 1
        how = self._dice.choice(("PUT", "PATCH", "PATCH If-Match", "stale If-Match", "directly"))
        if how == "directly":
            metadata = {"namespace": "default", "type": PATHS[name.path], "id": name.id, "labels": name.labels()}
            body = {"metadata": metadata | {"annotations": {MARK: str(name.number)}}, "spec": name.spec()}
            self._directly(name, lambda: self._omni.resources.update(body, version=None), there=True)
            return
        headers: dict[str, str] = {}
        if how.endswith("If-Match"):
            read = connection.ask("GET", name.url, FRESH)
            if not self._ledger.count("GET no-cache", read, (200,)):
                return
            tag = read.headers["etag"]
            stale = how == "stale If-Match" and name.old_tag.partition("-")[0] != tag.partition("-")[0]
            headers["If-Match"] = name.old_tag if stale and name.old_tag else tag
            name.old_tag = tag
            if stale and headers["If-Match"] != tag:
                self._ledger.count(how, connection.ask("PATCH", name.url, headers, self._patch(name)), (412,))
                return
        method = how.partition(" ")[0].replace("stale", "PATCH")
        body = name.document() if method == "PUT" else self._patch(name)
        self._written(name, how, connection.ask(method, name.url, headers, body), (200,), connection, seen)

    def _patch(self, name: Name) -> dict[str, Any]:
        return {"annotations": {MARK: str(name.number)}, "labels": name.labels()}

    def _remove(self, name: Name, connection: Connection, seen: Seen) -> None:
        quick = name.id.startswith(QUICK)
        if not quick and time.monotonic() - name.born < LIFE_SECONDS:
            return
        how = self._dice.choice(("DELETE", "DELETE If-Match", "directly"))
        if how == "directly":
            self._directly(name, lambda: self._omni.resources.remove(PATHS[name.path], name.id), there=False)
        else:
            headers: dict[str, str] = {}
            if how == "DELETE If-Match":
                read = connection.ask("GET", name.url, FRESH)
                if not self._ledger.count("GET no-cache", read, (200,)):
                    return
                headers["If-Match"] = read.headers["etag"]
            answer = connection.ask("DELETE", name.url, headers)
            self._written(name, how, answer, (204, 202), connection, seen)
        if quick and name.there is False:
            self._make(name, connection, seen)

    def _directly(self, name: Name, call: Callable[[], object], *, there: bool) -> None:
        """Write past the gateway."""
        asked = time.monotonic()
        try:
            call()
        except OmniError as error:
            self._unsure(name)
            status = 503 if error.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED") else 500
            answer = Answer(status, {}, repr(error).encode(), asked, time.monotonic())
        else:
            name.there = there
            answer = Answer(200, {}, b"", asked, time.monotonic())
        self._ledger.count("past the gateway", answer, (200,))

    def _unsure(self, name: Name) -> None:
        name.there, name.sure_at = None, time.monotonic() + UNSURE_SECONDS

    def _written(
        self, name: Name, what: str, answer: Answer, expected: tuple[int, ...], connection: Connection, seen: Seen
    ) -> None:
        """Look, at the same worker, for what it has acknowledged."""
        if not self._ledger.count(what, answer, expected) or answer.status == 202:
            self._unsure(name)
            return
        name.there = answer.status != 204
        wanted = name.number if name.there else None
        if answer.status in (200, 201) and written(answer.json()) != wanted:
            self._ledger.found("answer of a write", f"{what} {name.url}: {answer.body[:300]!r}, not write {wanted}")
        read = connection.ask("GET", name.url)
        if not self._ledger.count("GET own write", read, (200, 404)):
            return
        got = written(read.json()) if read.status == 200 else None
        if got != wanted:
            status = read.headers.get("cache-status")
            text = f"{what} {name.url} was write {wanted}, then shown: {got} ({status})"
            self._ledger.found("own write not shown", text)
        if not name.id.startswith(QUICK):
            _take(seen, name, read.json() if got is not None else None, self._ledger)


def _take(seen: Seen, name: Name, document: Mapping[str, Any] | None, ledger: Ledger) -> None:
    type = PATHS[name.path]
    if document is None:
        seen.absent(type, name.id)
    elif text := seen.shown(type, name.id, written(document) or 0):
        ledger.found("went back in time", text)
