"""What a plugin's own functions answer; the views around them do the HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from omni_gateway.model.resource import Resource
from omni_gateway.rest.operations import Operation


@dataclass(frozen=True, slots=True)
class FileResponse:
    """An answer that is no JSON object of ours: a file, a text.

    ``credential``: it holds one that was made for this answer, so the audit has an entry for a GET of it too.
    """

    body: bytes
    media_type: str
    filename: str | None = None
    credential: bool = False


@dataclass(frozen=True, slots=True)
class StreamingResponse:
    """A file or log that is sent while it comes: ``open`` makes a context around an iterator of byte chunks.

    ``beat`` is sent while nothing comes, so that a reader who has left is noticed: an empty line in a followed log.
    """

    open: Callable[[], AbstractContextManager[Iterator[bytes]]]
    media_type: str
    filename: str | None = None
    beat: bytes = b""


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What an action answers to a dry run: the object before and after, as stored; ``after`` None: it would be gone.

    ``also``: objects of other types that would be made or changed, as they would be then. ``also_deleted``: those that
    would be removed.
    """

    before: Resource | None
    after: Resource | None
    additional_objects: Sequence[Resource] = ()
    also_deleted: Sequence[Resource] = ()


#: A Resource is rendered by the plugin's schema, an Operation is a 202, a mapping is JSON by the schema given.
Answer = Resource | Operation | FileResponse | StreamingResponse | DryRunResult | Mapping[str, Any]
