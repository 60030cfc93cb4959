"""What must always hold of answers, and the count of those of which it did not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.soak_connections import Answer

#: Every object that a soak writes carries the number of its write here; numbers of a name only ever grow.
MARK = "soak-write"
LABEL = "soak"
#: Names below this are removed and made again within a second, of which ``docs/caching.md`` promises less.
QUICK = "soak-quick-"
UNDER_FAULTS = frozenset({503, 504})
_KEPT_SAMPLES = 20


class Ledger:
    """Counts of answers and of what was wrong with them; safe for any thread."""

    def __init__(self, excuse: Callable[[float, float], bool]) -> None:
        """``excuse(asked, came)`` tells whether a fault may be to blame for an answer between these times."""
        self._excuse = excuse
        self._lock = threading.Lock()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.wrong: Counter[str] = Counter()
        self.excused: Counter[str] = Counter()
        self.samples: list[str] = []

    def count(self, what: str, answer: Answer, expected: Iterable[int]) -> bool:
        """Count an answer; return whether its status is one that was expected. A refusal for a fault is no error."""
        with self._lock:
            self.answers[what, answer.status] += 1
        if answer.status in expected:
            return True
        text = f"{what}: {answer.status} {answer.body[:200].decode(errors='replace')}"
        if answer.status in UNDER_FAULTS and self._excuse(answer.asked, answer.came):
            with self._lock:
                self.excused[str(answer.status)] += 1
        else:
            self.found("unexpected status", text)
        return False

    def found(self, kind: str, text: str) -> None:
        """Count something wrong."""
        with self._lock:
            self.wrong[kind] += 1
            if len(self.samples) < _KEPT_SAMPLES:
                self.samples.append(f"{kind}: {text}")


def written(document: Mapping[str, Any]) -> int | None:
    """Return the number of the write that an object shows; None for one that no soak wrote."""
    number = document.get("annotations", {}).get(MARK)
    return int(number) if number is not None else None


@dataclass
class Seen:
    """What one worker has shown over one connection: it must not go back in time."""

    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def shown(self, type: str, id: str, number: int) -> str | None:
        """Take an object that was shown; return what is wrong with that."""
        key = (type, id)
        before = self.newest.get(key, -1)
        was_gone = key in self.gone
        self.newest[key] = max(before, number)
        self.gone.discard(key)
        if number < before:
            return f"{type}/{id} went back from write {before} to {number}"
        if was_gone and number == before:
            return f"{type}/{id} came back as write {number} after it had gone"
        return None

    def absent(self, type: str, id: str) -> None:
        """Take it that an object was told to be gone."""
        if (type, id) in self.newest:
            self.gone.add((type, id))

    def listed(self, type: str, documents: Iterable[Mapping[str, Any]], *, whole: bool) -> list[str]:
        """Take a list; ``whole``: a name of this soak that is not in it is gone. Return what is wrong."""
        found, ids = [], set()
        for each in documents:
            ids.add(each["id"])
            number = written(each)
            if number is not None and not each["id"].startswith(QUICK):
                found.append(self.shown(type, each["id"], number))
        if whole:
            for known, id in list(self.newest):
                if known == type and id not in ids:
                    self.absent(type, id)
        return [text for text in found if text]


def page_faults(documents: list[Mapping[str, Any]], pagination: Mapping[str, Any], *, by_id: bool) -> list[str]:
    """Return what is wrong with a page by itself: ids twice, out of order, or not as many as it says."""
    ids = [each["id"] for each in documents]
    found = []
    if len(set(ids)) != len(ids):
        found.append(f"{len(ids) - len(set(ids))} ids are there twice")
    if by_id and ids != sorted(ids):
        found.append("not in the order of ids")
    before = (pagination["page"] - 1) * pagination["page_size"]
    if len(ids) != max(0, min(pagination["page_size"], pagination["total"] - before)):
        found.append(f"{len(ids)} objects, which does not fit X-Pagination {dict(pagination)}")
    return found
