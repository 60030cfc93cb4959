"""What a template has to fulfil beyond the types of its fields."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from omni_gateway.model import label_names
from omni_gateway.rest.predictions import disk_selectors
from omni_gateway.templates import config_patches
from omni_gateway.templates.faults import Fault
from omni_gateway.templates.model import (
    Cluster,
    ControlPlane,
    Document,
    HealthCheck,
    Machine,
    MachineSet,
    Manifest,
    Patch,
    Workers,
)
from omni_gateway.templates.render import rendered
from omni_gateway.templates.versions import Version

_ENCRYPTION_SINCE = Version((1, 5, 0), release=True)
_CONTROL_PLANE_SUFFIX = "control-planes"
#: Both forms of an id that Omni's library reads, and two more that it does.
_ID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\{.{36}\}|[0-9a-f]{32}", re.IGNORECASE)

_Numbered = Sequence[tuple[int, Document]]
_Faults = Iterator[tuple[str, str]]


def faults_of(documents: Iterable[tuple[int, Document]], complete: bool = True) -> Iterator[Fault]:
    """Yield what is wrong with documents, each given with its place; their lines are not known here.

    ``complete`` is False if a document could not be read, which may be the one that is missing here.
    """
    found = list(documents)
    for number, document in found:
        for field, message in _of_document(document):
            yield Fault(number, None, field, message)
    twice: set[int] = set()
    for rule in (*((_kinds,) if complete else ()), _names, _machines, _kernel_args):
        for fault in rule(found):
            twice.add(fault.document)
            yield fault
    # The objects of a machine, or of a set, that is there twice are there twice too.
    yield from (fault for fault in _identities(found) if fault.document not in twice)


def _of_document(document: Document) -> _Faults:
    yield from _descriptors(document, "")
    if isinstance(document, Cluster):
        yield from _cluster(document)
    elif isinstance(document, Machine):
        yield from _machine(document)
    else:
        yield from _machine_set(document)
    for number, patch in enumerate(document.patches):
        yield from _patch(patch, f"patches.{number}")


def _descriptors(document: Document | Patch | Manifest | HealthCheck, prefix: str) -> _Faults:
    for field, names in (("labels", document.labels), ("annotations", document.annotations)):
        for name in names:
            if name.startswith(label_names.OWN_PREFIX):
                yield f"{prefix}{field}.{name}", f"Names that start with {label_names.OWN_PREFIX} are Omni's own."


def _cluster(cluster: Cluster) -> _Faults:
    if not cluster.name:
        yield "name", "Is required."
    elif not all(each.isdecimal() or each.isalpha() or each in "-_" for each in cluster.name):
        yield "name", "Must have letters, digits, hyphens and underscores only."
    yield from _version("kubernetes.version", cluster.kubernetes.version)
    yield from _version("talos.version", cluster.talos.version)
    talos = Version.read(cluster.talos.version)
    if talos is not None and not cluster.talos.version.startswith("v"):
        yield "talos.version", "Must start with a `v`."
    if cluster.features.disk_encryption and talos is not None and talos < _ENCRYPTION_SINCE:
        yield "features.diskEncryption", "Takes Talos 1.5.0 or newer."
    yield from _manifests(cluster.kubernetes.manifests)
    yield from _health_checks(cluster.kubernetes.healthchecks)


def _version(field: str, version: str) -> _Faults:
    if not version:
        yield field, "Is required."
    elif Version.read(version) is None:
        yield field, "Must be a version such as v1.12.3."


def _manifests(manifests: Sequence[Manifest]) -> _Faults:
    seen: set[str] = set()
    for number, manifest in enumerate(manifests):
        place = f"kubernetes.manifests.{number}"
        if not manifest.name:
            yield f"{place}.name", "A manifest takes a `name` or a `file`."
        elif manifest.name in seen:
            yield f"{place}.name", "There is another manifest of this name."
        seen.add(manifest.name)
        if manifest.mode is None:
            yield f"{place}.mode", "Is required: full or one-time."
        if manifest.inline is None:
            yield f"{place}.inline", "Either `inline` or `file` is required."
        yield from _descriptors(manifest, f"{place}.")


def _health_checks(checks: Sequence[HealthCheck]) -> _Faults:
    seen: set[str] = set()
    for number, check in enumerate(checks):
        place = f"kubernetes.healthchecks.{number}"
        name = check.id_override or check.name
        if not name:
            yield f"{place}.name", "A health check takes a `name` or an `idOverride`."
        elif name in seen:
            yield f"{place}.name", "There is another health check of this name."
        seen.add(name)
        if check.job is None:
            yield f"{place}.job", "Either `job` or `file` is required."
        yield from _descriptors(check, f"{place}.")


def _patch(patch: Patch, place: str) -> _Faults:
    yield from _descriptors(patch, f"{place}.")
    if patch.inline is None:
        yield f"{place}.inline", "Either `inline` or `file` is required."
        return
    if not patch.name and not patch.id_override:
        yield f"{place}.name", "A patch takes a `name` or an `idOverride`."
    for message in config_patches.faults_of(patch.inline):
        yield f"{place}.inline", message


def _machine_set(machine_set: MachineSet) -> _Faults:
    if isinstance(machine_set, ControlPlane):
        if machine_set.name:
            yield "name", "A control plane has no name of its own."
        if machine_set.update_strategy is not None:
            yield "updateStrategy", "Is for workers only."
        if machine_set.delete_strategy is not None:
            yield "deleteStrategy", "Is for workers only."
        if (spec := machine_set.bootstrap_spec) is not None:
            if not spec.cluster_uuid:
                yield "bootstrapSpec.clusterUUID", "Is required."
            if not spec.snapshot:
                yield "bootstrapSpec.snapshot", "Is required."
    else:
        if machine_set.name == _CONTROL_PLANE_SUFFIX:
            yield "name", "Is the name of the control plane's set."
        if machine_set.bootstrap_spec is not None:
            yield "bootstrapSpec", "Is for the control plane only."
    if machine_set.machines and machine_set.machine_class is not None:
        yield "machineClass", "Either `machines` or `machineClass`, not both."
    if machine_set.kernel_args is not None and machine_set.machine_class is not None:
        yield "kernelArgs", "Does not go with `machineClass`."
    for number, id in enumerate(machine_set.machines):
        yield from _id(f"machines.{number}", id)


def _id(field: str, id: str) -> _Faults:
    if not _ID.fullmatch(id):
        yield field, "Must be a machine's id, which is a UUID."


def _machine(machine: Machine) -> _Faults:
    if not machine.name:
        yield "name", "Is required."
    else:
        yield from _id("name", machine.name)
    if machine.install.disk and machine.install.disk_selector:
        yield "install.diskSelector", "Either `disk` or `diskSelector`, not both."
    if machine.install.disk_selector and not disk_selectors.may_compile(machine.install.disk_selector):
        yield "install.diskSelector", "Must be a CEL expression over a disk, and a boolean."


def _kinds(documents: _Numbered) -> Iterator[Fault]:
    for kind in (Cluster, ControlPlane):
        places = [number for number, document in documents if isinstance(document, kind)]
        if not places:
            yield Fault(0, None, "", f"The template has no document of the kind {kind.kind}.")
        for number in places[1:]:
            yield Fault(number, None, "kind", f"The template has another document of the kind {kind.kind}.")


def _names(documents: _Numbered) -> Iterator[Fault]:
    seen = set()
    for number, document in documents:
        if isinstance(document, Workers):
            if document.name in seen:
                yield Fault(number, None, "name", "There are other workers of this name.")
            seen.add(document.name)


def _machines(documents: _Numbered) -> Iterator[Fault]:
    members: Mapping[str, list[tuple[int, str]]] = defaultdict(list)
    for number, document in documents:
        if isinstance(document, MachineSet):
            for place, machine in enumerate(document.machines):
                members[machine].append((number, f"machines.{place}"))
    for places in members.values():
        for number, field in places[1:]:
            yield Fault(number, None, field, "The machine is in the template's sets already.")
    control_planes = {
        machine for _, document in documents if isinstance(document, ControlPlane) for machine in document.machines
    }
    for number, document in documents:
        if isinstance(document, Machine) and document.name:
            if document.name not in members:
                yield Fault(number, None, "name", "The machine is in no set of the template.")
            if document.locked and document.name in control_planes:
                yield Fault(number, None, "locked", "A machine of the control plane cannot be locked.")


def _kernel_args(documents: _Numbered) -> Iterator[Fault]:
    if any(isinstance(document, Cluster) and document.kernel_args is not None for _, document in documents):
        for number, document in documents:
            if isinstance(document, MachineSet) and document.machine_class is not None:
                yield Fault(number, None, "machineClass", "Does not go with the cluster's `kernelArgs`.")


def _identities(documents: _Numbered) -> Iterator[Fault]:
    """Yield the objects that the template would make twice."""
    seen = set()
    for each in rendered(documents):
        key = (each.resource.type, each.resource.id)
        if key in seen:
            yield Fault(each.document, None, each.field, f"There is another object {each.resource.id!r} of this type.")
        seen.add(key)
