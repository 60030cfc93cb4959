"""The one thing that only COSI's own surface can do: take a finalizer off an object that tears down.

ResourceService refuses to change such an object, so a test's own finalizer would hold it for ever. The simulator does
not serve this surface; there it does not matter, for nothing of it outlives the session.
"""

from __future__ import annotations

import grpc

from omni_gateway.stubs import cosi_resource_pb2 as cosi
from tests.simulator.caller import DEADLINE, Signer

_SERVICE = "/cosi.resource.State/"
_TRIES = 10


def release(channel: grpc.Channel, signer: Signer, namespace: str, type_: str, id_: str, finalizer: str) -> None:
    """Take a finalizer off an object, whatever its phase; raises ``grpc.RpcError``.

    Controllers take theirs off at the same time, so a lost race for the version is run again.
    """
    for _ in range(_TRIES):
        try:
            _release(channel, signer, namespace, type_, id_, finalizer)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
        else:
            return


def _release(channel: grpc.Channel, signer: Signer, namespace: str, type_: str, id_: str, finalizer: str) -> None:
    asked = _part(1, namespace.encode()) + _part(2, type_.encode()) + _part(3, id_.encode())
    resource = _parts(_parts(_call(channel, signer, "Get", asked))[1])
    metadata = cosi.Metadata.FromString(resource[1])
    if finalizer not in metadata.finalizers:
        return
    metadata.finalizers.remove(finalizer)
    changed = _part(1, metadata.SerializeToString()) + _part(2, resource.get(2, b""))
    _call(channel, signer, "Update", _part(2, changed) + _part(3, b""))


def _call(channel: grpc.Channel, signer: Signer, name: str, request: bytes) -> bytes:
    method = channel.unary_unary(_SERVICE + name, lambda given: given, lambda answer: answer)
    return bytes(method(request, metadata=signer.metadata(_SERVICE + name, []), timeout=DEADLINE))


def _part(number: int, content: bytes) -> bytes:
    """Encode one length-delimited field of a message, as protobuf has it."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _parts(message: bytes) -> dict[int, bytes]:
    """Read the fields of a message that has length-delimited ones only."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        length, at = _read_varint(message, at)
        found[key >> 3] = message[at : at + length]
        at += length
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1
