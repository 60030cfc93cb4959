"""Objects on the wire: a stored resource as the JSON text that Omni answers, and a request's resource read back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from omni_gateway.simulator.errors import Unknown
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.wire.codec import decode, encode, timestamp
from omni_gateway.simulator.wire.types import catalogue
from omni_gateway.stubs import resources_pb2 as pb

NEVER = "0001-01-01T00:00:00Z"
"""How a time that was never set reads."""

ANY_VERSION = "undefined"


def text(res: Resource) -> str:
    """Return a resource as JSON; made once per version, then kept with the object."""
    if res.wire_text is None:
        res.wire_text = orjson.dumps({"metadata": _metadata(res), "spec": spec(res)}).decode()
    return res.wire_text


def spec(res: Resource) -> dict[str, Any]:
    """Return a resource's spec as JSON, without zero values."""
    known = catalogue().get(res.type)
    return dict(res.spec) if known is None or known.message is None else encode(known.message, res.spec)


def _metadata(res: Resource) -> dict[str, Any]:
    out: dict[str, Any] = {
        "created": _moment(res.created),
        "updated": _moment(res.updated),
        "namespace": res.namespace,
        "type": res.type,
        "id": res.id,
        "owner": res.owner,
        "phase": res.phase,
        "version": res.version,
    }
    for name in ("labels", "annotations", "finalizers"):
        if value := getattr(res, name):
            out[name] = value
    return out


def _moment(moment: datetime | None) -> str:
    return NEVER if moment is None else timestamp(moment.replace(microsecond=0))


def parse(given: pb.Resource) -> tuple[Resource, int | None]:
    """Read the resource of a request, and its version (None for any); :class:`Unknown` if it is malformed.

    The phase is always running, not that of the request.
    """
    metadata = given.metadata
    known = catalogue().get(metadata.type)
    if known is None or known.message is None:
        raise Unknown(f"there is no resource type {metadata.type!r} that can be written")
    if metadata.owner:
        raise Unknown("an owner is never set by a caller")
    spec_ = decode(known.message, _json(given.spec))
    if spec_.get("compressed_data"):
        # Unpacked while the JSON is read, by a dictionary that only Omni's own clients have: neither rule nor role is
        # first.
        raise Unknown("the compressed content cannot be read: send it plain, in data")
    res = Resource(
        metadata.namespace,
        metadata.type,
        metadata.id,
        spec=spec_,
        labels=dict(metadata.labels),
        annotations=dict(metadata.annotations),
        finalizers=list(metadata.finalizers),
    )
    return res, _version(metadata.version)


def _json(text_: str) -> Any:
    try:
        return orjson.loads(text_ or "{}")
    except orjson.JSONDecodeError as error:
        raise Unknown(f"the spec is not JSON: {error}") from None


def _version(text_: str) -> int | None:
    if text_ in ("", ANY_VERSION):
        return None
    if not text_.isascii() or not text_.isdigit():
        raise Unknown(f"{text_!r} is no version")
    return int(text_)
