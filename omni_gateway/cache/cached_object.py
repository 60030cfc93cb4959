"""One version of one object, as Omni told it."""

from __future__ import annotations

import zlib
from typing import Any

import orjson

#: What an object takes beside its packed text: itself, its labels, the strings that are read without unpacking it.
OVERHEAD = 900
MOST_SHARED = 10_000
_NEVER = "0001-01-01T00:00:00Z"


class DictionaryCompressor:
    """How the objects of a type are kept small: by what they have in common with the first of them (RFC 1950 §2.2).

    Statuses of machines take a tenth of their text so, and some microseconds to be read.
    """

    def __init__(self) -> None:
        self._common = b""
        self._texts: dict[str, str] = {}

    def shared(self, text: str) -> str:
        """Return a text that is the same for many objects, kept once."""
        if len(self._texts) >= MOST_SHARED:
            self._texts.clear()  # those that are in use stay where they are
        return self._texts.setdefault(text, text)

    def pack(self, text: str) -> bytes:
        """Return a text, packed."""
        plain = text.encode()
        if not self._common:
            self._common = plain[: 2**15]
        packer = zlib.compressobj(1, zdict=self._common)
        return packer.compress(plain) + packer.flush()

    def unpack(self, packed: bytes) -> bytes:
        """Return a text as UTF-8."""
        return zlib.decompressobj(zdict=self._common).decompress(packed)


class CachedObject:
    """An object's JSON text, packed, and what is needed to find it; never changed, so all threads may share it.

    ``mark`` tells one text from another: it is the same for the same text and, as far as 64 bits go, for no other.
    ``derived`` keeps what others make of the object, for as long as this version lives.
    """

    __slots__ = (
        "__weakref__",
        "_kept",
        "_packing",
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

    def __init__(self, text: str, packing: DictionaryCompressor | None = None) -> None:
        """Without a ``packing``, which it shares with others of its type, the text is kept as it is."""
        metadata = orjson.loads(text)["metadata"]
        self._packing = packing
        self._kept = text if packing is None else packing.pack(text)
        self.text_hash = hash(text)
        self.id: str = metadata["id"]
        self.version = int(metadata.get("version", 0))
        self.created: str = metadata.get("created") or ""
        updated = metadata.get("updated")
        self.updated: str | None = None if updated == _NEVER else updated
        shared = str if packing is None else packing.shared
        self.namespace = shared(metadata.get("namespace", ""))
        self.type = shared(metadata.get("type", ""))
        self.phase = shared(metadata.get("phase", "running"))
        self.owner = shared(metadata.get("owner") or "")
        self.finalizers = tuple(map(shared, metadata.get("finalizers") or ()))
        self.labels = {shared(key): shared(value) for key, value in (metadata.get("labels") or {}).items()}
        self.annotations: dict[str, str] = metadata.get("annotations") or {}
        self.derived: Any = None

    @property
    def text(self) -> str:
        """Return the JSON text."""
        plain = self._plain()
        return plain if isinstance(plain, str) else plain.decode()

    @property
    def leaving(self) -> bool:
        """Whether it is being torn down."""
        return self.phase == "tearingDown"

    def body(self) -> dict[str, Any]:
        """Return the object as ``{"metadata", "spec"}``, parsed anew: callers may change it."""
        parsed: dict[str, Any] = orjson.loads(self._plain())
        return parsed

    def _plain(self) -> str | bytes:
        kept = self._kept
        return kept if isinstance(kept, str) or self._packing is None else self._packing.unpack(kept)

    def __len__(self) -> int:
        """Return about how many bytes it takes, without what is derived from it."""
        return len(self._kept) + OVERHEAD
