"""The annotations that expose a Service: its host ports, with label, icon and prefix.

``port`` lists host ports, each alone or as ``host:service``. ``label``, ``icon`` and ``prefix`` apply to one port if
their name ends in ``-<host port>``, else to every port without one of its own. Before Omni 1.8 a Service has one host
port and the names have no suffix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Notes = Mapping[str, str]
Changes = dict[str, str | None]
"""Annotations to set; None removes one."""

NAMES = {"label": "label", "icon_base64": "icon", "prefix": "prefix"}
"""Fields of an exposed service, with their annotations."""


def host_ports(notes: Notes) -> dict[int, str]:
    """Return the host ports of a Service, each with its entry; invalid entries are ignored, as by Omni."""
    found: dict[int, str] = {}
    for entry in map(str.strip, notes.get("port", "").split(",")):
        host = entry.partition(":")[0]
        if host.isascii() and host.isdigit() and 0 < int(host[:6]) < 65536:
            found.setdefault(int(host), entry)
    return found


def port_of(spec: Mapping[str, Any], notes: Notes) -> int:
    """Return the host port of an exposed service; 0 where it is exposed at none.

    Omni shows no port of a Service that it could not expose, and before 1.8 the id has none. A Service has one port
    there, which its annotation tells.
    """
    return int(spec.get("port") or next(iter(host_ports(notes)), 0))


def adding(notes: Notes, spec: Mapping[str, Any], several: bool) -> Changes:
    """Return the changes that expose a Service at a host port, or update that port's label, icon and prefix.

    ``several``: this Omni allows several host ports. Annotations for all ports are then replaced by ones for each
    of the existing ports, so that they do not apply to an added port.
    """
    port, ports = spec["port"], host_ports(notes)
    others = {host: entry for host, entry in ports.items() if host != port}
    changes: Changes = {}
    if several and others and port not in ports:
        changes |= _per_port(notes, others)
    entry = f"{port}:{spec['service_port']}" if spec.get("service_port") else ports.get(port, str(port))
    changes["port"] = ",".join((ports | {port: entry}).values()) if several else entry
    now = {**notes, **changes}
    for field, name in NAMES.items():
        changes |= _name_changes(now, f"{name}-{port}" if several else name, name, spec, field, alone=not others)
    return {name: value for name, value in changes.items() if notes.get(name) != value}


def removing(notes: Notes, port: int) -> Changes:
    """Return the changes that hide one host port of a Service; without another port, remove all annotations."""
    remaining = [entry for host, entry in host_ports(notes).items() if host != port]
    if not remaining:
        known = ("port", *NAMES.values())
        return {name: None for name in notes if name in known or name.startswith(tuple(f"{n}-" for n in known))}
    return {"port": ",".join(remaining)} | {f"{n}-{port}": None for n in NAMES.values() if f"{n}-{port}" in notes}


def shown(notes: Notes, changes: Changes, port: int) -> tuple[str | None, ...]:
    """Return the effective label, icon and prefix of a port after changes."""
    now = {**notes, **changes}
    return tuple(_effective(now, f"{name}-{port}", name) for name in NAMES.values())


def default_label(spec: Mapping[str, Any], several_ports: bool) -> str:
    """Return Omni's default label of a port."""
    name = f"{spec['service']}.{spec['service_namespace']}"
    return f"{name}:{spec['port']}" if several_ports else name


def _per_port(notes: Notes, others: Mapping[int, str]) -> Changes:
    changes: Changes = {}
    for name in NAMES.values():
        if name in notes:
            changes[name] = None
            for host in sorted(others)[: 1 if name == "prefix" else None]:
                changes[f"{name}-{host}"] = notes.get(f"{name}-{host}", notes[name])
    return changes


def _name_changes(
    notes: Mapping[str, str | None], own: str, common: str, spec: Mapping[str, Any], field: str, alone: bool
) -> Changes:
    wanted = spec.get(field) or None
    if field == "label" and wanted == default_label(spec, several_ports=not alone):
        wanted = None
    if wanted == _effective(notes, own, common):
        return {}
    return {own: wanted} if wanted is not None or not alone else {own: None, common: None}


def _effective(notes: Mapping[str, str | None], own: str, common: str) -> str | None:
    found = notes.get(own)
    return notes.get(common) if found is None else found
