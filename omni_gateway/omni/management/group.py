"""What the groups of management calls share."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from omni_gateway.omni.calls import Calls
from omni_gateway.omni.signing import Metadata


class CallGroup:
    """A group of calls of one service, made through the same ``Calls``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls


def of_cluster(cluster: str | None) -> Metadata:
    """Return the metadata that names the cluster: Omni takes it from there, not from the request."""
    return (("context", cluster),) if cluster else ()


def moment(message: Message, field: str) -> datetime | None:
    """Return a timestamp field as an aware datetime; None when the message does not carry it."""
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    return value.ToDatetime(tzinfo=UTC)
