"""The document: a dynamic inventory, as Ansible's developer guide describes the output of inventory scripts."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from omni_gateway.sdk import Resource, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from resources.discovery.ansible.schemas import AnsibleInventoryQuery, AnsibleInventorySchema
from resources.discovery.machines import Machine, list_statuses, machine_of

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
#: What begins an expression, a statement or a comment of Jinja.
_TEMPLATE = re.compile(r"\{[{%#]")
#: A host name that Ansible takes for the name of one host: not for a pattern of hosts, nor for the controller itself.
_HOST_NAME = re.compile(r"(?!localhost$)[A-Za-z0-9][A-Za-z0-9.-]*")


@dataclass(frozen=True, slots=True)
class _Host:
    """Parts of a host, stored with a machine's status until that changes; ``variables`` are encoded already."""

    hostname: str
    groups: tuple[str, ...]
    variables: orjson.Fragment


def inventory(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the inventory of the machines that the query selects."""
    statuses = list_statuses(adapter, query)
    ids = [status.id for status in statuses]
    hosts: list[_Host] = [status.derived(_host, _host) for status in statuses]
    members: defaultdict[str, list[str]] = defaultdict(list)
    variables = {}
    for name, host in zip(ids if query["names"] == "id" else _names(ids, hosts), hosts, strict=True):
        variables[name] = host.variables
        for group in host.groups:
            members[group].append(name)
    groups = {name: {"hosts": members[group]} for group, name in _group_names(members).items()}
    return {"_meta": {"hostvars": variables}, "all": {"children": sorted(groups)}, **groups}


def _names(ids: Sequence[str], hosts: Sequence[_Host]) -> Sequence[str]:
    """Return the name of each machine: its host name, or its id where it has none or another machine is called so."""
    hostnames = [host.hostname for host in hosts]
    count = Counter([*ids, *hostnames])
    return [hostname if hostname and count[hostname] == 1 else id for id, hostname in zip(ids, hostnames, strict=True)]


def _group(*words: str) -> str:
    """Return the key of a group: its kind, then the value, or the key and value of a label.

    It is a text, whose hash Python keeps: ten thousand machines are in five groups each.
    """
    return sys.intern(orjson.dumps(words).decode())


def _group_names(groups: Iterable[str]) -> dict[str, str]:
    """Return the name of each group by its key.

    Ansible allows letters, digits and `_` only, so the names of `a-b` and `a_b` would be the same: both then end in a
    digest, for a play must not run on the hosts of another cluster.
    """
    plain = {group: _NOT_IN_NAMES.sub("_", "_".join(word for word in orjson.loads(group) if word)) for group in groups}
    count = Counter(plain.values())
    return {group: name if count[name] == 1 else f"{name}_{_digest(group)}" for group, name in plain.items()}


def _digest(group: str) -> str:
    return blake2b(group.encode(), digest_size=4).hexdigest()


def _host(status: Resource) -> _Host:
    machine = machine_of(status)
    variables = {name: _without_templates(value) for name, value in _variables(machine).items()}
    hostname = machine.hostname if _HOST_NAME.fullmatch(machine.hostname) else ""
    return _Host(hostname, tuple(_groups(machine)), orjson.Fragment(orjson.dumps(variables)))


def _groups(machine: Machine) -> Iterable[str]:
    yield _group("cluster", machine.cluster) if machine.cluster else _group("free")
    if machine.role:
        yield _group("role", machine.role)
    if machine.machine_set:
        yield _group("machine_set", machine.machine_set)
    for key, value in machine.labels.items():
        yield _group("label", key, value)


def _without_templates(value: Any) -> Any:
    """Return the value of a variable; empty for a text that Ansible would evaluate as a template on its controller.

    Labels and host names are texts of people who may not run anything there.
    """
    if isinstance(value, dict):
        return {key: text for key, text in value.items() if not _TEMPLATE.search(f"{key}\0{text}")}
    if isinstance(value, tuple):
        return [text for text in value if not _TEMPLATE.search(text)]
    return "" if isinstance(value, str) and _TEMPLATE.search(value) else value


def _variables(machine: Machine) -> dict[str, Any]:
    return {
        "ansible_host": machine.address or machine.management_address,
        "omni_id": machine.id,
        "omni_hostname": machine.hostname,
        "omni_cluster": machine.cluster,
        "omni_machine_set": machine.machine_set,
        "omni_role": machine.role,
        "omni_connected": machine.connected,
        "omni_maintenance": machine.maintenance,
        "omni_talos_version": machine.talos_version,
        "omni_addresses": machine.addresses,
        "omni_management_address": machine.management_address,
        "omni_platform": machine.platform,
        "omni_arch": machine.arch,
        "omni_labels": machine.labels,
    }


INVENTORY = ComputedDocument(
    "",
    on_collection=True,
    scoped=True,
    conditional=True,
    role=Role.READER,
    summary="List machines as an inventory",
    description="Groups: `cluster_<name>` or `free`, `role_controlplane`, `role_worker`, `machine_set_<id>`, and of"
    " each label that users gave a machine `label_<key>_<value>`. Characters that Ansible does not allow in names are"
    " `_`; where that makes two names the same, both end in `_` and a digest. Machines that have not reported to Omni"
    " yet are left out.",
    query=AnsibleInventoryQuery,
    answers=AnsibleInventorySchema,
    run=inventory,
)
