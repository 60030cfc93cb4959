"""One version of one Omni object, with its JSON text compressed."""

from __future__ import annotations

import zlib
from typing import Any

import orjson

from omni_gateway.omni.types import NEVER_UPDATED

#: Bytes of an object beside its compressed text: the instance, its labels, the fields that are read uncompressed.
OVERHEAD = 900
MOST_INTERNED = 10_000


class DictionaryCompressor:
    """Compresses a type's objects with the first of them as zlib's preset dictionary (RFC 1950 §2.2).

    Statuses of machines take a tenth of their text so; a decompression takes some microseconds.
    """

    def __init__(self) -> None:
        self._dictionary = b""
        self._interned: dict[str, str] = {}

    def intern(self, text: str) -> str:
        """Return the one shared copy of a text that many objects have, such as a label's key."""
        if len(self._interned) >= MOST_INTERNED:
            # Objects keep their references; later texts only start to share anew.
            self._interned.clear()
        return self._interned.setdefault(text, text)

    def pack(self, text: str) -> bytes:
        """Return a text, compressed."""
        plain = text.encode()
        if not self._dictionary:
            # Set once and never replaced: every compressed text needs the dictionary that it was written with.
            # 32 KiB is deflate's window; more of a dictionary would not be used.
            self._dictionary = plain[: 2**15]
        packer = zlib.compressobj(1, zdict=self._dictionary)
        return packer.compress(plain) + packer.flush()

    def unpack(self, packed: bytes) -> bytes:
        """Return a compressed text as UTF-8."""
        return zlib.decompressobj(zdict=self._dictionary).decompress(packed)


class CachedObject:
    """An object's compressed JSON text and the metadata that lookups need.

    Immutable, so that threads share it without a lock; a new version is a new instance. ``text_hash`` is a 64-bit hash
    of the text: equal for equal texts, and different for others but for collisions. ``derived`` holds one value that a
    caller computed from the object; it lives as long as this version.
    """

    __slots__ = (
        "__weakref__",
        "_compressor",
        "_stored",
        "annotations",
        "created",
        "derived",
        "finalizers",
        "id",
        "labels",
        "namespace",
        "owner",
        "phase",
        "text_hash",
        "type",
        "updated",
        "version",
    )

    def __init__(self, text: str, compressor: DictionaryCompressor | None = None) -> None:
        """``compressor``: the one of the object's type; None stores the text uncompressed, for short-lived objects."""
        metadata = orjson.loads(text)["metadata"]
        self._compressor = compressor
        self._stored = text if compressor is None else compressor.pack(text)
        self.text_hash = hash(text)
        self.id: str = metadata["id"]
        self.version = int(metadata.get("version", 0))
        self.created: str = metadata.get("created") or ""
        updated = metadata.get("updated")
        self.updated: str | None = None if updated in NEVER_UPDATED else updated
        intern = str if compressor is None else compressor.intern
        self.namespace = intern(metadata.get("namespace", ""))
        self.type = intern(metadata.get("type", ""))
        self.phase = intern(metadata.get("phase", "running"))
        self.owner = intern(metadata.get("owner") or "")
        self.finalizers = tuple(map(intern, metadata.get("finalizers") or ()))
        self.labels = {intern(key): intern(value) for key, value in (metadata.get("labels") or {}).items()}
        self.annotations: dict[str, str] = metadata.get("annotations") or {}
        self.derived: Any = None

    @property
    def text(self) -> str:
        """The JSON text, decompressed anew at each access."""
        plain = self._plain()
        return plain if isinstance(plain, str) else plain.decode()

    @property
    def tearing_down(self) -> bool:
        """True while the object is being torn down: it exists until its finalizers are gone."""
        return self.phase == "tearingDown"

    def body(self) -> dict[str, Any]:
        """Return the object as ``{"metadata", "spec"}``, parsed anew: callers may change it."""
        parsed: dict[str, Any] = orjson.loads(self._plain())
        return parsed

    def _plain(self) -> str | bytes:
        stored = self._stored
        return stored if isinstance(stored, str) or self._compressor is None else self._compressor.unpack(stored)

    def __len__(self) -> int:
        """Return the object's approximate size in memory, in bytes, without ``derived``."""
        return len(self._stored) + OVERHEAD
