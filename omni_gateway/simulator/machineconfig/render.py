"""The machine configuration that Omni makes for a machine: a base document, and the patches laid over it.

Secrets never exist here: the configuration is written redacted from the start.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from omni_gateway.simulator.documents import safe_yaml
from omni_gateway.simulator.errors import InvalidArgument
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.network import EVENTS_PORT, FACTORY_HOST, LOGS_PORT, MACHINE_API, SERVER_ADDRESS

Document = dict[str, Any]
_SECRET = "******"  # noqa: S105 (the replacement of a secret)
_IMAGES = {
    "kube-apiserver": ("cluster", "apiServer", "registry.k8s.io/kube-apiserver"),
    "kube-controller-manager": ("cluster", "controllerManager", "registry.k8s.io/kube-controller-manager"),
    "kube-scheduler": ("cluster", "scheduler", "registry.k8s.io/kube-scheduler"),
    "kubelet": ("machine", "kubelet", "ghcr.io/siderolabs/kubelet"),
}


@dataclass(frozen=True)
class Inputs:
    """The inputs of a machine's configuration besides patches. Versions are without `v`."""

    cluster: str
    cluster_uuid: str
    port: str
    role: int
    kubernetes_version: str
    talos_version: str
    schematic_id: str
    disk: str


def image_of(component: str, version: str) -> str:
    """Return the image of a Kubernetes component."""
    return f"{_IMAGES[component][2]}:v{version}"


def components_of_role(role: int) -> tuple[str, ...]:
    """Return the Kubernetes components that a machine of a role runs, in the order of an upgrade."""
    if role == CONTROL_PLANE:
        return ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
    return ("kubelet",)


def component_patch(versions: dict[str, str]) -> Document:
    """Return the patch that pins components to versions."""
    patch: Document = {}
    for component, version in versions.items():
        section, name, _ = _IMAGES[component]
        patch.setdefault(section, {})[name] = {"image": image_of(component, version)}
    return patch


def components(documents: list[Document], role: int) -> dict[str, str]:
    """Read the versions of the Kubernetes components out of a rendered configuration."""
    found = {}
    for component in components_of_role(role):
        section, name, _ = _IMAGES[component]
        image = str((documents[0].get(section) or {}).get(name, {}).get("image", ""))
        match = re.search(r":v?([^:/]+)$", image)
        found[component] = match.group(1) if match else ""
    return found


def _machine_section(given: Inputs) -> Document:
    control_plane = given.role == CONTROL_PLANE
    section: Document = {
        "type": "controlplane" if control_plane else "worker",
        "token": _SECRET,
        "ca": {"crt": "", "key": _SECRET if control_plane else ""},
        "certSANs": [],
        "kubelet": {
            "image": image_of("kubelet", given.kubernetes_version),
            "defaultRuntimeSeccompProfileEnabled": True,
            "disableManifestsDirectory": True,
        },
        "install": {
            "disk": given.disk,
            "image": f"{FACTORY_HOST}/metal-installer/{given.schematic_id}:v{given.talos_version}",
            "wipe": False,
            "grubUseUKICmdline": True,
        },
        "features": {
            "diskQuotaSupport": True,
            "kubePrism": {"enabled": True, "port": 7445},
            "hostDNS": {"enabled": True, "forwardKubeDNSToHost": True},
        },
    }
    if control_plane:
        section["nodeLabels"] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return section


def _cluster_section(given: Inputs) -> Document:
    control_plane = given.role == CONTROL_PLANE
    section: Document = {
        "id": base64.b64encode(hashlib.sha256(given.cluster_uuid.encode()).digest()).decode(),
        "secret": _SECRET,
        "controlPlane": {"endpoint": f"https://[{SERVER_ADDRESS}]:{given.port}"},
        "clusterName": given.cluster,
        "network": {"dnsDomain": "cluster.local", "podSubnets": ["10.244.0.0/16"], "serviceSubnets": ["10.96.0.0/12"]},
        "token": _SECRET,
        "ca": {"crt": "", "key": _SECRET if control_plane else ""},
        "discovery": {"enabled": True, "registries": {"kubernetes": {"disabled": True}, "service": {}}},
    }
    if control_plane:
        section["secretboxEncryptionSecret"] = _SECRET
        section["serviceAccount"] = {"key": _SECRET}
        section["etcd"] = {"ca": {"crt": "", "key": _SECRET}}
        for component in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
            section[_IMAGES[component][1]] = {"image": image_of(component, given.kubernetes_version)}
        section["proxy"] = {"image": f"registry.k8s.io/kube-proxy:v{given.kubernetes_version}"}
    return section


def _extra_documents() -> list[Document]:
    return [
        {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "stable"},
        {"apiVersion": "v1alpha1", "kind": "SideroLinkConfig", "apiUrl": f"{MACHINE_API}?jointoken={_SECRET}"},
        {"apiVersion": "v1alpha1", "kind": "EventSinkConfig", "endpoint": f"[{SERVER_ADDRESS}]:{EVENTS_PORT}"},
        {
            "apiVersion": "v1alpha1",
            "kind": "KmsgLogConfig",
            "name": "omni-kmsg",
            "url": f"tcp://[{SERVER_ADDRESS}]:{LOGS_PORT}",
        },
    ]


def merge(base: Any, patch: Any) -> Any:
    """Lay a strategic-merge patch over a value: maps are merged, lists appended, `$patch: delete` removes."""
    if isinstance(base, dict) and isinstance(patch, dict):
        merged = dict(base)
        for key, value in patch.items():
            if isinstance(value, dict) and value.get("$patch") == "delete":
                merged.pop(key, None)
            elif value is not None:
                merged[key] = merge(merged.get(key), value)
        return merged
    if isinstance(base, list) and isinstance(patch, list):
        return base + [item for item in patch if item not in base]
    return patch


@functools.lru_cache(maxsize=2048)
def parse(text: str) -> tuple[Document, ...]:
    """Parse a patch's YAML into its documents; one that was never checked and is no YAML has none."""
    try:
        safe_yaml.documents(text)
        found = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (InvalidArgument, yaml.YAMLError):
        return ()
    return tuple(doc for doc in found if isinstance(doc, dict))


def _identity(document: Document) -> tuple[str, str]:
    return str(document.get("kind", "")), str(document.get("name", ""))


def render(given: Inputs, patches: Iterable[str]) -> list[Document]:
    """Return the documents of a machine's configuration; the first is the v1alpha1 one."""
    main: Document = {"version": "v1alpha1", "debug": False, "persist": True}
    documents = [main | {"machine": _machine_section(given), "cluster": _cluster_section(given)}, *_extra_documents()]
    for text in patches:
        for patch in parse(text):
            same = [index for index, doc in enumerate(documents) if _identity(doc) == _identity(patch)]
            if same:
                documents[same[0]] = merge(documents[same[0]], patch)
            else:
                documents.append(patch)
    return documents


def to_yaml(documents: list[Document]) -> str:
    """Return a configuration as text."""
    return yaml.dump_all(documents, Dumper=yaml.CSafeDumper, indent=4, sort_keys=False)


def digest(documents: list[Document]) -> str:
    """Return a configuration's SHA-256, hexadecimal."""
    return hashlib.sha256(json.dumps(documents, sort_keys=True, default=str).encode()).hexdigest()
