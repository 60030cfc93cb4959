"""Return values of a plugin's actions and computed documents; the views turn them into responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from omni_gateway.model.resource import Resource
from omni_gateway.rest.operations import Operation


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A file or text that is returned as it is.

    :param body: the content.
    :param media_type: its media type.
    :param filename: the name under which clients save it (``Content-Disposition``); None: no name.
    :param credential: whether it contains a credential that was made for this response; a GET of it is then audited.
    """

    body: bytes
    media_type: str
    filename: str | None = None
    credential: bool = False


@dataclass(frozen=True, slots=True)
class StreamingResponse:
    """A file or log that is sent in chunks.

    :param open: returns a context manager around an iterator of the chunks; leaving the context releases the source.
    :param media_type: the media type of the content.
    :param filename: the name under which clients save it (``Content-Disposition``); None: no name.
    :param beat: bytes to send while no chunk comes, e.g. an empty line in a followed log, so that a closed connection
        is noticed.
    """

    open: Callable[[], AbstractContextManager[Iterator[bytes]]]
    media_type: str
    filename: str | None = None
    beat: bytes = b""


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The result of an action's dry run.

    :param before: the stored object; None for a create.
    :param after: the object after the action; None if it would be removed.
    :param additional_objects: objects of other types that would be created or changed, in their new state.
    :param also_deleted: objects of other types that would be removed.
    """

    before: Resource | None
    after: Resource | None
    additional_objects: Sequence[Resource] = ()
    also_deleted: Sequence[Resource] = ()


#: A Resource is rendered by the plugin's schema, an Operation responds 202, a mapping is returned as JSON (its schema
#: is the ``answers`` of the declaration).
Answer = Resource | Operation | FileResponse | StreamingResponse | DryRunResult | Mapping[str, Any]
