"""Objects that were read before need not be read again: one object of one version is parsed and rendered once.

Omni answers a list as JSON texts. The same text is the same object in the same version, so the text itself is the key,
and what is derived from it (the parsed object, its rendered body, its digests) is kept as long as there is room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

import orjson

from omni_gateway.sdk.resource import Resource

#: Of the texts; what is derived from them takes about five times as much.
MAX_TEXT_BYTES = 12 * 1024 * 1024


class ResourceCache:
    """Least recently used objects go first. Objects from here are shared: they are read, never changed in place."""

    def __init__(self, max_bytes: int = MAX_TEXT_BYTES) -> None:
        self._max = max_bytes
        self._used = 0
        self._lock = Lock()
        self._kept: OrderedDict[str, Resource] = OrderedDict()

    def resources(self, texts: Sequence[str], read: Callable[[str], Resource]) -> list[Resource]:
        """Return the objects of ``texts``, in their order; ``read`` parses those that are not here."""
        with self._lock:
            kept = self._kept
            found = []
            for text in texts:
                resource = kept.get(text)
                if resource is None:
                    resource = read(text)
                    resource.memo = {}
                    kept[text] = resource
                    self._used += len(text)
                else:
                    kept.move_to_end(text)
                found.append(resource)
            while self._used > self._max and kept:
                text, _ = kept.popitem(last=False)
                self._used -= len(text)
        return found


def from_text(text: str) -> Resource:
    """Read an object as ``omni.resources.ResourceService`` writes it."""
    return Resource.from_omni(orjson.loads(text))


CACHE = ResourceCache()
