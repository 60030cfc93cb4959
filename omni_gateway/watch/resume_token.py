"""The resume point of a watch: a digest of the objects that a caller has received, for ``Last-Event-ID``.

Omni's JSON watch has no bookmarks or resource versions of a list to resume from, so the point describes the caller's
objects: their number, an order-independent hash (XOR) of (id, created) and one of (id, created, version, content), and
their newest time. It needs no state in the gateway, so any replica can resume any watch.

A stream that resumes compares the point with the present objects. Equal versions: no events. No object deleted and
some newer: events for these. Anything else: the history is not known, and the answer is 410.
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
#: Timestamps are whole seconds, so which objects of its last second a point includes has to be tried out: at most so
#: many combinations, as a bound of CPU time for a point that anyone may send.
MAX_GUESSES = 5000


class HistoryGone(Exception):
    """The changes since a resume point are not known; the caller must list again (410)."""


def _hash(*parts: bytes) -> int:
    return int.from_bytes(blake2b(b"\0".join(parts), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Digest:
    """One object's part of a point: the hash of its identity, the hash of its present state, its newest time."""

    member: int
    state: int
    newest: str

    @classmethod
    def of(cls, resource: Resource) -> Digest:
        """Digest an object.

        The content is included because an object that was deleted and created again within the same second may differ
        in nothing else.
        """
        created = resource.created or ""
        content = orjson.dumps([resource.spec, resource.labels, resource.annotations], option=orjson.OPT_SORT_KEYS)
        member = _hash(resource.id.encode(), created.encode())
        state = _hash(resource.id.encode(), created.encode(), str(resource.version).encode(), content)
        return cls(member, state, max(created, resource.updated or ""))


def digest_of(resource: Resource) -> Digest:
    """Return a resource's digest, which is computed once for each version of a shared one."""
    digest: Digest = resource.derived("digest", Digest.of)
    return digest


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """The digest of a set of objects; XOR makes adding and removing an object independent of their order."""

    count: int = 0
    members: int = 0
    versions: int = 0
    newest: str = ""

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Self:
        """Return the point of a set of objects."""
        count, members, versions, newest = 0, 0, 0, ""
        for resource in resources:
            digest = digest_of(resource)
            count += 1
            members ^= digest.member
            versions ^= digest.state
            newest = max(newest, digest.newest)
        return cls(count, members, versions, newest)

    def plus(self, digest: Digest) -> Self:
        """Return the point after an object was added."""
        return self._toggle(digest, 1)

    def minus(self, digest: Digest) -> Self:
        """Return the point after an object was removed."""
        return self._toggle(digest, -1)

    def _toggle(self, digest: Digest, step: int) -> Self:
        # ``newest`` never decreases: the time of a removed object is not forgotten, so a point reads more as unseen.
        members, versions = self.members ^ digest.member, self.versions ^ digest.state
        return type(self)(self.count + step, members, versions, max(self.newest, digest.newest))

    def __str__(self) -> str:
        packed = _FORMAT.pack(_VERSION, self.count, self.members, self.versions) + self.newest.encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Decode a point of any replica; raises :class:`HistoryGone` for anything else."""
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
        """Return the present objects that the point does not include, or not in this version.

        Timestamps are whole seconds, so an object of the point's last second may be returned although it has not
        changed: delivery is at least once. Raises :class:`HistoryGone` if an object of the point was deleted.
        """
        objects = list(present)
        if ResumePoint.of(objects).versions == self.versions and len(objects) == self.count:
            return []
        certain = [item for item in objects if (item.created or "") < self.newest]
        uncertain = [item for item in objects if (item.created or "") == self.newest]
        # XOR removes the certain members; what remains is the XOR of the uncertain ones that the point includes.
        missing = self.members ^ ResumePoint.of(certain).members
        old = {item.id for item in (*certain, *_choose(uncertain, self.count - len(certain), missing))}
        return [
            item for item in objects if item.id not in old or max(item.created or "", item.updated or "") >= self.newest
        ]


def _choose(uncertain: Sequence[Resource], count: int, members: int) -> Sequence[Resource]:
    """Return the ``count`` objects of the point's last second whose identity hashes XOR to ``members``.

    Raises :class:`HistoryGone` if there are none, or too many combinations to try.
    """
    if not 0 <= count <= len(uncertain) or comb(len(uncertain), count) > MAX_GUESSES:
        raise HistoryGone("objects have gone since")
    for chosen in combinations(uncertain, count):
        if ResumePoint.of(chosen).members == members:
            return chosen
    raise HistoryGone("objects have gone since")
