"""A machine's own Talos API, through Omni's proxy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from omni_gateway.omni import rpcs
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.errors import error_for
from omni_gateway.omni.signing import Metadata
from omni_gateway.stubs import common_pb2
from omni_gateway.stubs import machine_pb2 as pb

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class MachineVersion:
    """What runs on a machine: Talos' version with its ``v``, the commit, the architecture and the platform."""

    tag: str
    sha: str
    os: str
    arch: str
    platform: str


class MachineClient:
    """Calls to one machine, named by its id, node name or address; free machines are named without a ``cluster``.

    ``NotFound`` for an unknown node, ``Unavailable`` or ``DeadlineExceeded`` for one that does not answer,
    ``PermissionDenied`` where Talos requires more than the operator role that Omni passes on.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def reboot(self, node: str, *, cluster: str = "", mode: str = "DEFAULT") -> None:
        """Reboot; ``mode``: DEFAULT, POWERCYCLE or FORCE."""
        answer = self._calls.unary(
            rpcs.REBOOT,
            lambda: pb.RebootRequest(mode=pb.RebootRequest.Mode.Value(mode)),
            metadata=_to_node(node, cluster),
        )
        _check(rpcs.REBOOT.name, answer.messages)

    def shutdown(self, node: str, *, cluster: str = "", force: bool = False) -> None:
        """Shut down; ``force`` does not wait for workloads to leave."""
        answer = self._calls.unary(
            rpcs.SHUTDOWN, lambda: pb.ShutdownRequest(force=force), metadata=_to_node(node, cluster)
        )
        _check(rpcs.SHUTDOWN.name, answer.messages)

    def reset(
        self,
        node: str,
        *,
        cluster: str = "",
        graceful: bool = True,
        reboot: bool = False,
        wipe_system_partitions: Sequence[str] = (),
        mode: str = "ALL",
    ) -> None:
        """Wipe a machine; ``mode``: ALL, SYSTEM_DISK or USER_DISKS; ``wipe_system_partitions`` names labels.

        Destructive. A member of a cluster is taken out of its machine set instead.
        """

        def build() -> pb.ResetRequest:
            partitions = [pb.ResetPartitionSpec(label=label, wipe=True) for label in wipe_system_partitions]
            return pb.ResetRequest(
                graceful=graceful,
                reboot=reboot,
                system_partitions_to_wipe=partitions,
                mode=pb.ResetRequest.WipeMode.Value(mode),
            )

        _check(rpcs.RESET.name, self._calls.unary(rpcs.RESET, build, metadata=_to_node(node, cluster)).messages)

    def version(self, node: str, *, cluster: str = "") -> MachineVersion:
        """Return the machine's version, as reported by its Talos."""
        messages = self._calls.unary(rpcs.VERSION, Empty, metadata=_to_node(node, cluster)).messages
        _check(rpcs.VERSION.name, messages)
        if not messages:
            raise error_for(rpcs.VERSION.name, grpc.StatusCode.UNKNOWN, "the machine answered nothing")
        version = messages[0].version
        return MachineVersion(version.tag, version.sha, version.os, version.arch, messages[0].platform.name)


def _to_node(node: str, cluster: str) -> Metadata:
    named = (("cluster", cluster),) if cluster else ()
    return (("runtime", "Talos"), ("node", node), *named)


def _check(method: str, messages: Iterable[Any]) -> None:
    """Raise the error that a machine reports inside an answer with status OK."""
    for message in messages:
        metadata: common_pb2.Metadata = message.metadata
        if metadata.error:
            code = _CODES.get(metadata.status.code, grpc.StatusCode.UNKNOWN)
            code = grpc.StatusCode.UNKNOWN if code is grpc.StatusCode.OK else code
            raise error_for(method, code, metadata.error)
