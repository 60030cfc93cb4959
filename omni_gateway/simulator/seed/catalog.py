"""The resources of a new Omni: versions, extensions, features, installation media, the default join token."""

from __future__ import annotations

import csv
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Spec
from omni_gateway.simulator.controllers.join_tokens import FINALIZER as JOIN_TOKEN_FINALIZER
from omni_gateway.simulator.network import (
    ACCOUNT_ID,
    EVENTS_PORT,
    FACTORY_PXE_URL,
    FACTORY_URL,
    INSTANCE_NAME,
    LOGS_PORT,
    MACHINE_API,
    WIREGUARD_ENDPOINT,
    join_kernel_args,
)
from omni_gateway.simulator.rules import versions
from omni_gateway.simulator.seed.media import seed_media
from omni_gateway.simulator.state.store import Store

KUBERNETES_VERSIONS = ("1.31.9", "1.32.8", "1.33.6", "1.34.4", "1.35.6", "1.35.7", "1.36.1", "1.36.3")

# Per Talos version: the first and the last Kubernetes minor that it supports.
TALOS_VERSIONS = {
    "1.9.5": (31, 32),
    "1.10.6": (31, 33),
    "1.11.6": (31, 34),
    "1.12.11": (31, 35),
    "1.13.6": (31, 36),
    "1.13.7": (31, 36),
    "1.13.8": (31, 36),
}
DEFAULT_TALOS_VERSION = versions.DEFAULT_TALOS_VERSION

DEFAULT_TOKEN_ID = "default"  # noqa: S105 (the id of a resource, not a secret)


def seed_catalog(store: Store) -> None:
    """Write the catalogue where it is missing; existing objects stay."""
    _versions(store)
    _features(store)
    _join_token(store)
    seed_media(store)


def default_join_token(store: Store) -> str:
    """Return the id of the default join token, which is the secret itself."""
    res = store.get("default", kinds.DEFAULT_JOIN_TOKEN, DEFAULT_TOKEN_ID)
    return str(res.spec["token_id"])


def _versions(store: Store) -> None:
    known = Context(store, "VersionsController")
    for version in KUBERNETES_VERSIONS:
        known.write(kinds.KUBERNETES_VERSION, version, {"version": version})
    for version, (first, last) in TALOS_VERSIONS.items():
        spec = {
            "version": version,
            "compatible_kubernetes_versions": [v for v in KUBERNETES_VERSIONS if first <= _minor(v) <= last],
            "upgradable_talos_versions": _upgradable(version),
            "image_factory_url": FACTORY_URL,
        }
        known.write(kinds.TALOS_VERSION, version, spec, finalizers=("TalosExtensionsController",))
        Context(store, "").write(kinds.QUIRKS, version, _quirks(version))
        items = [_extension(row, version) for row in _extensions() if int(row["since_minor"]) <= _minor(version)]
        Context(store, "TalosExtensionsController").write(kinds.TALOS_EXTENSIONS, version, {"items": items})


def _quirks(version: str) -> Spec:
    return {"supports_unified_installer": _minor(version) >= 10, "supports_factory_talosctl": _minor(version) >= 11}


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _upgradable(version: str) -> list[str]:
    """Return where a Talos may go: one minor back, its own minor, and up to two minors on."""
    here = _minor(version)
    return [other for other in TALOS_VERSIONS if other != version and here - 1 <= _minor(other) <= here + 2]


@cache
def _extensions() -> Sequence[Mapping[str, str]]:
    """Return the official system extensions; the version of a kernel module names the Talos that it is built for."""
    text = files("omni_gateway.simulator").joinpath("data", "extensions.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _extension(row: Mapping[str, str], talos: str) -> Spec:
    name = f"siderolabs/{row['name']}"
    version = f"{row['version']}-v{talos}" if row["per_talos"] == "yes" else row["version"]
    return {
        "name": name,
        "author": "Sidero Labs",
        "version": version,
        "description": row["description"],
        "ref": f"ghcr.io/{name}:{version}",
        "digest": "sha256:" + hashlib.sha256(f"{name}@{version}".encode()).hexdigest(),
    }


def _features(store: Store) -> None:
    unowned = Context(store, "")
    features = {
        "enable_workload_proxying": True,
        "etcd_backup_settings": {"tick_interval": "60s", "min_interval": "3600s", "max_interval": "86400s"},
        "embedded_discovery_service": True,
        "audit_log_enabled": True,
        "image_factory_base_url": FACTORY_URL,
        "user_pilot_settings": {},
        "stripe_settings": {},
        "image_factory_pxe_base_url": FACTORY_PXE_URL,
        "account": {"id": ACCOUNT_ID, "name": INSTANCE_NAME},
        "posthog_settings": {},
    }
    unowned.write(kinds.FEATURES_CONFIG, "features-config", features)
    unowned.write(kinds.ETCD_BACKUP_STORE_STATUS, "etcdbackup-store-status", {"configuration_name": "local"})
    overall = Context(store, "EtcdBackupOverallStatusController")
    if overall.find(kinds.ETCD_BACKUP_OVERALL_STATUS, "etcdbackup-overall-status") is None:
        said = {"configuration_name": "local"}
        overall.write(kinds.ETCD_BACKUP_OVERALL_STATUS, "etcdbackup-overall-status", said)
    version = {"backend_version": "v1.10.0-simulator", "instance_name": INSTANCE_NAME, "backend_api_version": 3}
    unowned.write(kinds.SYS_VERSION, "current", version)


def _join_token(store: Store) -> None:
    unowned = Context(store, "")
    if unowned.find(kinds.DEFAULT_JOIN_TOKEN, DEFAULT_TOKEN_ID) is None:
        token = secrets.token_urlsafe(32)
        unowned.write(kinds.JOIN_TOKEN, token, {"name": "initial token"}, finalizers=(JOIN_TOKEN_FINALIZER,))
        unowned.write(kinds.DEFAULT_JOIN_TOKEN, DEFAULT_TOKEN_ID, {"token_id": token})
    token = default_join_token(store)
    api = {
        "machine_api_advertised_url": MACHINE_API,
        "wireguard_advertised_endpoint": WIREGUARD_ENDPOINT,
        "events_port": EVENTS_PORT,
        "logs_port": LOGS_PORT,
    }
    unowned.write(kinds.SIDEROLINK_API_CONFIG, "siderolink-config", api)
    params = {
        "args": " ".join(join_kernel_args(token)),
        "api_endpoint": MACHINE_API,
        "wireguard_endpoint": WIREGUARD_ENDPOINT,
        "join_token": token,
        "events_port": EVENTS_PORT,
        "logs_port": LOGS_PORT,
    }
    Context(store, "ConnectionParamsController").write(kinds.CONNECTION_PARAMS, "siderolink-config", params)
