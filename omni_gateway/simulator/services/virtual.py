"""Objects that are not stored: computed for the caller of each read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from omni_gateway.simulator.errors import NotFound, Unimplemented, Unknown
from omni_gateway.simulator.identity.caller import Identity, caller
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

NAMESPACE = "virtual"
_SUFFIX = ".omni.sidero.dev"
_CURRENT_USER = "CurrentUsers" + _SUFFIX
_PERMISSIONS = "Permissions" + _SUFFIX
_CLUSTER_PERMISSIONS = "ClusterPermissions" + _SUFFIX
_COMPLETIONS = "LabelsCompletions" + _SUFFIX
_ENDPOINTS = "AdvertisedEndpoints" + _SUFFIX
_USAGES = "KubernetesUsages" + _SUFFIX
_SUPPORTS = "Supports" + _SUFFIX
_CLUSTER = "Clusters" + _SUFFIX

# The lowest role of each permission, but for the audit log, which two roles may read.
_ANYWHERE = {
    "can_read_clusters": "Reader",
    "can_create_clusters": "Operator",
    "can_manage_users": "Admin",
    "can_read_machines": "Reader",
    "can_remove_machines": "Operator",
    "can_read_machine_logs": "Reader",
    "can_read_machine_config_patches": "Reader",
    "can_manage_machine_config_patches": "Operator",
    "can_manage_backup_store": "Admin",
    "can_access_maintenance_nodes": "Operator",
    "can_read_join_tokens": "Reader",
    "can_manage_join_tokens": "Operator",
    "can_read_installation_media": "Reader",
    "can_manage_installation_media": "Operator",
}
_ON_A_CLUSTER = {
    "can_add_machines": "Operator",
    "can_remove_machines": "Operator",
    "can_reboot_machines": "Operator",
    "can_update_kubernetes": "Operator",
    "can_download_kubeconfig": "Reader",
    "can_sync_kubernetes_manifests": "Operator",
    "can_update_talos": "Operator",
    "can_download_talosconfig": "Reader",
    "can_read_config_patches": "Reader",
    "can_manage_config_patches": "Operator",
    "can_manage_cluster_features": "Operator",
    "can_download_support_bundle": "Operator",
    "can_read_machine_config": "Reader",
    "can_manage_machine_config": "Operator",
    "can_read_kernel_args": "Reader",
    "can_manage_kernel_args": "Operator",
    "can_read_machine_pending_updates": "Reader",
    "can_read_kubernetes_manifests": "Reader",
}


class Virtual:
    """The computed types. Those that are the same for everybody (platforms, quirks) are ordinary stored objects."""

    def __init__(self, store: Store, advertised_url: Callable[[], str]) -> None:
        self._store = store
        self._advertised_url = advertised_url
        self._getters: Mapping[str, Callable[[str], dict[str, Any]]] = {
            _CURRENT_USER: self._current_user,
            _PERMISSIONS: self._permissions,
            _CLUSTER_PERMISSIONS: lambda _: _allowed(caller(), _ON_A_CLUSTER),
            _COMPLETIONS: self._completions,
            _ENDPOINTS: lambda _: {"grpc_api_url": self._advertised_url()},
            _USAGES: self._usage,
            _SUPPORTS: self._support,
        }

    def serves(self, namespace: str, type_: str) -> bool:
        """Return whether a type is computed here."""
        return namespace == NAMESPACE and type_ in self._getters

    def get(self, type_: str, id_: str) -> Resource:
        """Compute one object; :class:`NotFound` on an id that there cannot be."""
        return _resource(type_, id_, self._getters[type_](id_))

    def list(self, type_: str, _selectors: Sequence[str]) -> list[Resource]:
        """Compute the one object of a type that has one; :class:`Unimplemented` for the others."""
        single = {_CURRENT_USER: "current", _PERMISSIONS: "permissions"}.get(type_)
        if single is None:
            raise Unimplemented(f"{type_} cannot be listed")
        return [self.get(type_, single)]

    def _current_user(self, id_: str) -> dict[str, Any]:
        _only(id_, "current")
        who = caller()
        return {"identity": who.name, "role": who.role, "user_id": who.user_id}

    def _permissions(self, id_: str) -> dict[str, Any]:
        _only(id_, "permissions")
        who = caller()
        return _allowed(who, _ANYWHERE) | {"can_read_audit_log": who.role in ("Auditor", "Admin")}

    def _completions(self, id_: str) -> dict[str, Any]:
        seen: dict[str, set[str]] = {}
        for res in self._store.view("default", id_):
            for key, value in res.labels.items():
                seen.setdefault(key, set()).add(value)
        return {"items": {key: {"items": sorted(values)} for key, values in sorted(seen.items())}}

    def _usage(self, id_: str) -> dict[str, Any]:
        if self._store.peek("default", _CLUSTER, id_) is None:
            raise NotFound(f"there is no cluster {id_!r}")
        raise Unknown("no workload cluster can be reached: there is none behind a simulator")

    def _support(self, _: str) -> dict[str, Any]:
        raise NotFound("this Omni has no support contract")


def _only(id_: str, wanted: str) -> None:
    if id_ != wanted:
        raise NotFound(f"the one id is {wanted!r}")


def _allowed(who: Identity, table: Mapping[str, str]) -> dict[str, Any]:
    return {name: who.at_least(role) for name, role in table.items()}


def _resource(type_: str, id_: str, spec: dict[str, Any]) -> Resource:
    now = datetime.now(UTC)
    return Resource(NAMESPACE, type_, id_, spec, created=now, updated=now)
