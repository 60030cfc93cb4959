"""Support bundles: the resources and logs of a cluster, as a zip file."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.identity.caller import Identity
from omni_gateway.simulator.machines import machine_log
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.wire import resource_json
from omni_gateway.simulator.wire.types import catalogue
from omni_gateway.stubs import management_pb2 as pb

_Progress = pb.GetSupportBundleResponse.Progress
_TOKEN = re.compile(r"(jointoken=)[^\s\"'\\]+")
_MOST_RESOURCES = 20_000


class SupportCalls(Calls):
    """The one call about support."""

    def GetSupportBundle(
        self, request: pb.GetSupportBundleRequest, context: Context
    ) -> Iterator[pb.GetSupportBundleResponse]:
        """Stream the progress, a source at a time, and last the bundle.

        A cluster that does not exist is no failure: the progress has the error, and the bundle is empty.
        """
        who = access.require("Operator")
        content = io.BytesIO()
        if not request.cluster or self._store.peek("default", kinds.CLUSTER, request.cluster) is None:
            problem = f"there is no cluster {request.cluster!r}"
            yield pb.GetSupportBundleResponse(progress=_Progress(source="omni", error=problem))
            zipfile.ZipFile(content, "w").close()
        else:
            yield from self._collect(request.cluster, who, content)
        yield pb.GetSupportBundleResponse(bundle_data=content.getvalue())

    def _collect(self, cluster: str, who: Identity, content: io.BytesIO) -> Iterator[pb.GetSupportBundleResponse]:
        found = self._resources(cluster, who)
        machines = [res.id for res in found if res.type == kinds.CLUSTER_MACHINE]
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
            for number, res in enumerate(found, 1):
                name = f"omni/resources/{res.type}/{res.id.replace('/', '_')}.json"
                bundle.writestr(name, _masked(resource_json.text(res)))
                yield _progress("omni", name, len(found), number)
            for number, machine_id in enumerate(machines, 1):
                lines, _ = machine_log.read(self._store, machine_id)
                bundle.writestr(f"{machine_id}/machine.log", _masked(b"\n".join(lines).decode()))
                yield _progress(machine_id, "machine.log", len(machines), number)

    def _resources(self, cluster: str, who: Identity) -> Sequence[Resource]:
        """Return the objects of a cluster that the caller may read: by its id, by its label, and its machines."""
        found = []
        for known in catalogue().values():
            if access.problem(who, known.name, "read") is None:
                view = self._store.view(known.namespace, known.name)
                found += [res for res in view if res.id == cluster or res.labels.get(labels.CLUSTER) == cluster]
        return found[:_MOST_RESOURCES]


def _progress(source: str, state: str, total: int, value: int) -> pb.GetSupportBundleResponse:
    return pb.GetSupportBundleResponse(progress=_Progress(source=source, state=state, total=total, value=value))


def _masked(text: str) -> str:
    return _TOKEN.sub(r"\1******", text)
