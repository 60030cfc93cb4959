"""The resume point of a watch: what a caller has seen, small enough for a header, readable by any replica.

Omni's JSON watch has no bookmark of its own (facts: resource-service), so the point is a digest of what the caller
holds: how many objects, an order-free hash of (id, created) and one of (id, created, version, content), and the newest
time among them. A stream that starts from a point compares it with what is there: the same versions, nothing to tell;
all the same objects (none gone) and some newer, those are told; anything else, and the history is gone: 410.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from math import comb
from typing import Self

import orjson

from omni_gateway.model.resource import Resource

_FORMAT = struct.Struct(">BIQQ")
_VERSION = 2
#: Timestamps are whole seconds; so many ways to read a point's last second are tried before giving up.
MAX_GUESSES = 5000


class HistoryGone(Exception):
    """What happened since the resume point cannot be told; the caller must list again."""


def _hash(*parts: bytes) -> int:
    return int.from_bytes(blake2b(b"\0".join(parts), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Digest:
    """What one object adds to a point: its hash as a member, its hash as it is now, its newest time."""

    member: int
    state: int
    newest: str

    @classmethod
    def of(cls, resource: Resource) -> Digest:
        """Digest an object. Its content counts: one made anew within a second differs in nothing else."""
        created = resource.created or ""
        content = orjson.dumps([resource.spec, resource.labels, resource.annotations], option=orjson.OPT_SORT_KEYS)
        member = _hash(resource.id.encode(), created.encode())
        state = _hash(resource.id.encode(), created.encode(), str(resource.version).encode(), content)
        return cls(member, state, max(created, resource.updated or ""))


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A digest of a set of objects."""

    count: int = 0
    members: int = 0
    versions: int = 0
    newest: str = ""

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Self:
        """Digest the objects that a caller holds."""
        count, members, versions, newest = 0, 0, 0, ""
        for resource in resources:
            digest = resource.derived("digest", Digest.of)
            count += 1
            members ^= digest.member
            versions ^= digest.state
            newest = max(newest, digest.newest)
        return cls(count, members, versions, newest)

    def plus(self, digest: Digest) -> Self:
        """Return the point with one object more."""
        return self._toggle(digest, 1)

    def minus(self, digest: Digest) -> Self:
        """Return the point with one object less."""
        return self._toggle(digest, -1)

    def _toggle(self, digest: Digest, step: int) -> Self:
        members, versions = self.members ^ digest.member, self.versions ^ digest.state
        return type(self)(self.count + step, members, versions, max(self.newest, digest.newest))

    def __str__(self) -> str:
        packed = _FORMAT.pack(_VERSION, self.count, self.members, self.versions) + self.newest.encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a point that was written by any replica; ``HistoryGone`` when it is none."""
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            version, count, members, versions = _FORMAT.unpack_from(packed)
            newest = packed[_FORMAT.size :].decode()
        except (ValueError, struct.error) as error:
            raise HistoryGone("not a resume point of this API") from error
        if version != _VERSION:
            raise HistoryGone("a resume point of another version of this API")
        return cls(count, members, versions, newest)

    def changes(self, present: Iterable[Resource]) -> list[Resource]:
        """Return the present objects that this point has not seen, or not in this version.

        Timestamps are whole seconds, so an object of the point's own last second may be told twice: a watch tells at
        least once. Raises :class:`HistoryGone` when an object that the point had is no longer there.
        """
        objects = list(present)
        if ResumePoint.of(objects).versions == self.versions and len(objects) == self.count:
            return []
        sure = [item for item in objects if (item.created or "") < self.newest]
        unsure = [item for item in objects if (item.created or "") == self.newest]
        missing = self.members ^ ResumePoint.of(sure).members
        old = {item.id for item in (*sure, *_choose(unsure, self.count - len(sure), missing))}
        return [
            item for item in objects if item.id not in old or max(item.created or "", item.updated or "") >= self.newest
        ]


def _choose(unsure: Sequence[Resource], count: int, members: int) -> Sequence[Resource]:
    """Find which objects of the point's own last second it had: those whose member hashes come to ``members``."""
    if not 0 <= count <= len(unsure) or comb(len(unsure), count) > MAX_GUESSES:
        raise HistoryGone("objects have gone since")
    for chosen in combinations(unsure, count):
        if ResumePoint.of(chosen).members == members:
            return chosen
    raise HistoryGone("objects have gone since")
