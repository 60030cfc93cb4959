"""The document: a dynamic inventory, as Ansible's developer guide describes the output of inventory scripts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
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
#: A group before it has a name: its kind, then the value, or the key and value of a label.
_Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Host:
    """What is kept with a machine's status until that changes; ``variables`` are encoded already."""

    hostname: str
    groups: tuple[_Group, ...]
    variables: orjson.Fragment


def inventory(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the inventory of the machines that the query selects."""
    hosts: dict[str, _Host] = {status.id: status.derived(_host, _host) for status in list_statuses(adapter, query)}
    names = _names(hosts, query["names"])
    members: defaultdict[_Group, list[str]] = defaultdict(list)
    variables = {}
    for id, host in hosts.items():
        variables[names[id]] = host.variables
        for group in host.groups:
            members[group].append(names[id])
    groups = {name: {"hosts": members[group]} for group, name in _group_names(members).items()}
    return {"_meta": {"hostvars": variables}, "all": {"children": sorted(groups)}, **groups}


def _names(hosts: Mapping[str, _Host], kind: str) -> Mapping[str, str]:
    """Return the name of each machine by its id: if ``kind`` says so the host name, where no other has that."""
    if kind == "id":
        return {id: id for id in hosts}
    seen, several = set(hosts), {""}
    for host in hosts.values():
        (several if host.hostname in seen else seen).add(host.hostname)
    return {id: id if host.hostname in several else host.hostname for id, host in hosts.items()}


def _group_names(groups: Iterable[_Group]) -> dict[_Group, str]:
    """Return the name of each group.

    Ansible allows letters, digits and `_` only, so the names of `a-b` and `a_b` would be the same: both then end in a
    digest, for a play must not run on the hosts of another cluster.
    """
    plain = {group: _NOT_IN_NAMES.sub("_", "_".join(word for word in group if word)) for group in groups}
    count = Counter(plain.values())
    return {group: name if count[name] == 1 else f"{name}_{_digest(group)}" for group, name in plain.items()}


def _digest(group: _Group) -> str:
    return blake2b("\0".join(group).encode(), digest_size=4).hexdigest()


def _host(status: Resource) -> _Host:
    machine = machine_of(status)
    variables = {name: _without_templates(value) for name, value in _variables(machine).items()}
    hostname = machine.hostname if _HOST_NAME.fullmatch(machine.hostname) else ""
    return _Host(hostname, tuple(_groups(machine)), orjson.Fragment(orjson.dumps(variables)))


def _groups(machine: Machine) -> Iterable[_Group]:
    if not machine.cluster:
        yield ("free",)
    else:
        yield ("cluster", machine.cluster)
    if machine.role:
        yield ("role", machine.role)
    if machine.machine_set:
        yield ("machine_set", machine.machine_set)
    for key, value in machine.labels.items():
        yield ("label", key, value)


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
