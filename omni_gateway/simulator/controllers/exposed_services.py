"""Services that a cluster exposes through Omni, by their annotations.

``port`` is a list of host ports, each alone or as ``host:service``; each makes an exposed service. ``label``, ``icon``
and ``prefix`` may end in ``-<host port>`` and are then that port's own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from xml.parsers import expat

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.kubernetes.proxy import service
from omni_gateway.simulator.network import INSTANCE_NAME
from omni_gateway.simulator.state.resource import Resource

PREFIX = "omni-kube-service-exposer.sidero.dev/"
_OF_CLUSTER = by_label(labels.CLUSTER)
_ALIAS = "omni.sidero.dev/exposed-service-alias"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LARGEST_ICON = 1024 * 1024
#: Services of every Kubernetes.
_BUILT_IN = (("default", "kubernetes", 443), ("kube-system", "kube-dns", 53))


class ExposedServices(Controller):
    """Key: a cluster's id."""

    name = "ClusterWorkloadProxyStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.LOAD_BALANCER_STATUS: by_id,
        kinds.KUBERNETES_SERVICE: _OF_CLUSTER,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Show an exposed service for each host port of each annotated Service."""
        cluster = ctx.find(kinds.CLUSTER, key)
        services = ctx.all(kinds.KUBERNETES_SERVICE, cluster=key)
        annotated: list[Resource] = []
        if cluster is None:
            for res in services:
                ctx.destroy(kinds.KUBERNETES_SERVICE, res.id, owner="")
        elif (cluster.spec.get("features") or {}).get("enable_workload_proxy"):
            annotated = sorted((res for res in services if PREFIX + "port" in res.annotations), key=lambda res: res.id)
        self._make_built_in(ctx, key, services)
        self._show(ctx, key, annotated)
        if ctx.find(kinds.CLUSTER_WORKLOAD_PROXY_STATUS, key) is not None and cluster is not None:
            shown = sum(_ALIAS in res.labels for res in ctx.all(kinds.EXPOSED_SERVICE, cluster=key))
            ctx.write(kinds.CLUSTER_WORKLOAD_PROXY_STATUS, key, {"num_exposed_services": shown} if shown else {})

    def _make_built_in(self, ctx: Context, key: str, services: list[Resource]) -> None:
        status = ctx.find(kinds.LOAD_BALANCER_STATUS, key)
        if services or status is None or not status.spec.get("healthy"):
            return
        for namespace, name, port in _BUILT_IN:
            ctx.store.create(service(key, namespace, name, {"type": "ClusterIP", "ports": [{"port": port}]}, {}))

    def _show(self, ctx: Context, key: str, annotated: Sequence[Resource]) -> None:
        before = {res.id: res for res in ctx.all(kinds.EXPOSED_SERVICE, cluster=key)}
        aliases = {res.labels[_ALIAS]: res.id for res in ctx.all(kinds.EXPOSED_SERVICE) if _ALIAS in res.labels}
        kept: set[str] = set()
        for service_ in annotated:
            _, namespace, name = service_.id.split("/")
            stem = f"{key}/{name}.{namespace}"
            ports = host_ports(service_.annotations[PREFIX + "port"])
            if not ports:  # a slip in the annotation takes down nothing that was shown
                kept |= {id_ for id_ in before if id_.startswith(stem + "/")}
            for port in ports:
                id_ = f"{stem}/{port}"
                kept.add(id_)
                wanted = _Wanted(service_, port, f"{name}.{namespace}", len(ports) > 1)
                spec, alias = wanted.shown(id_, before.get(id_), aliases)
                marks = {labels.CLUSTER: key} | ({_ALIAS: alias} if alias else {})
                ctx.write(kinds.EXPOSED_SERVICE, id_, spec, marks)
        for id_ in before.keys() - kept:
            ctx.destroy(kinds.EXPOSED_SERVICE, id_)


class _Wanted:
    """One host port of a Service, as its annotations describe it."""

    def __init__(self, of: Resource, port: int, name: str, several: bool) -> None:
        self._notes, self._port, self._several = of.annotations, port, several
        self._label = f"{name}:{port}" if several else name

    def shown(self, id_: str, old: Resource | None, aliases: dict[str, str]) -> tuple[Spec, str]:
        """Return spec and alias; a prefix that cannot be used changes the error only."""
        asked = self._prefix(id_, aliases)
        current = old.labels.get(_ALIAS, "") if old else ""
        spec: Spec = dict(old.spec) if old else {}
        explicit = bool(spec.get("has_explicit_alias"))
        if current and explicit and asked != current and aliases.get(current) == id_:
            del aliases[current]
        alias = asked or (current if current and not explicit else _generated(id_, aliases))
        if asked and aliases.get(asked, id_) != id_:
            return spec | {"error": f"the alias {asked!r} is used by another service"}, current
        if why := _unusable(alias):
            return spec | {"error": f"no URL can be made of the alias {alias!r}: {why}", "url": ""}, current
        aliases[alias] = id_
        spec = {
            "port": self._port,
            "label": self._note("label", self._label),
            "icon_base64": _icon(self._note("icon", "")),
            "url": f"https://{alias}-{INSTANCE_NAME}.proxy-us.example.org",
            "error": "",
            "has_explicit_alias": asked is not None,
        }
        return spec, alias

    def _note(self, name: str, default: str) -> str:
        found = self._notes.get(f"{PREFIX}{name}-{self._port}", self._notes.get(PREFIX + name))
        return default if found is None else found

    def _prefix(self, id_: str, aliases: Mapping[str, str]) -> str | None:
        """Return the configured alias: the port's own, or the Service's, which its first port gets."""
        own = self._notes.get(f"{PREFIX}prefix-{self._port}")
        common = self._notes.get(PREFIX + "prefix")
        if own is not None or common is None:
            return None if own is None else own.lower()
        return common.lower() if not self._several or aliases.get(common.lower(), id_) == id_ else None


def host_ports(text: str) -> list[int]:
    """Return the host ports of an annotation in ascending order; entries that are none are left out."""
    found = set()
    for entry in text.split(","):
        port = entry.strip().partition(":")[0]
        if port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
            found.add(int(port))
    return sorted(found)


def _unusable(alias: str) -> str:
    """Return why no host name can begin with an alias: a dash parts it from the name of the Omni instance."""
    if not _DNS_LABEL.fullmatch(alias):
        return "it is not a DNS label (RFC 1123)"
    return "it has a dash, which parts an alias from the name of this Omni" if "-" in alias else ""


def _generated(id_: str, aliases: Mapping[str, str]) -> str:
    attempts = (hashlib.sha256(f"{id_} {n}".encode()).hexdigest()[:6] for n in range(100))
    return next(alias for alias in attempts if aliases.get(alias, id_) == id_)


def _icon(text: str) -> str:
    """Return an icon unpacked, in base64; empty when it is no XML."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    with suppress(zlib.error):  # an uncompressed icon stays as it is
        content = zlib.decompressobj(wbits=31).decompress(content, _LARGEST_ICON)
    try:
        expat.ParserCreate().Parse(content, True)
    except expat.ExpatError:
        return ""
    return base64.b64encode(content).decode()
