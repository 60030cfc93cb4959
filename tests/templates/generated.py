"""Cluster templates made by chance, from a seed: half of them valid, the others with one mistake each."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeAlias

import yaml

from tests.templates.case import Case

COUNT = 200
SEED = 20260827
_PATCHES: list[Any] = [
    {"machine": {"sysctls": {"net.core.somaxconn": "65535", "vm.nr_hugepages": "1024"}}},
    {"machine": {"network": {"kubespan": {"enabled": True}}}},
    {"machine": {"kubelet": {"extraArgs": {"rotate-server-certificates": "true", "v": "2"}}}},
    {"machine": {"nodeLabels": {"rack": "r1", "zone10": "a", "zone2": "b", "yes": "on"}}},
    {"machine": {"time": {"servers": ["time.cloudflare.com", "10.0.0.1"]}}},
    {
        "machine": {
            "files": [{"content": "[plugins]\n  x = true\n", "permissions": 0o644, "path": "/var/a", "op": "create"}]
        }
    },
    {"machine": {"registries": {"mirrors": {"ghcr.io": {"endpoints": ["https://ghcr.io", "https://m.test"]}}}}},
    {"cluster": {"network": {"cni": {"name": "none"}, "podSubnets": ["10.1.0.0/16", "fd00::/56"]}}},
    {"cluster": {"proxy": {"disabled": True}, "allowSchedulingOnControlPlanes": False}},
    {"cluster": {"apiServer": {"extraArgs": {"oidc-issuer-url": "https://id.test", "oidc-client-id": "kube"}}}},
    {"apiVersion": "v1alpha1", "kind": "WatchdogTimerConfig", "device": "/dev/watchdog0", "timeout": "2m0s"},
    [
        {"machine": {"sysctls": {"a.b": "1"}}},
        {"apiVersion": "v1alpha1", "kind": "KmsgLogConfig", "name": "remote", "url": "tcp://10.0.0.2:514/"},
    ],
    "machine:\n  sysctls: {c.d: '2'}  # as text\n",
]
_MANIFESTS: list[Any] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring", "labels": {"a10": "x", "a9": "y"}}},
    [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "one"},
            "data": {"text": "a\nb\n", "tail": "c\n\nd"},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "two"}, "stringData": {"on": "yes", "n": "012"}},
    ],
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: raw\n",
    {
        "kind": "Odd",
        "values": [[1, [2.5, 1e6, 100000.0]], {}, [], None, "", " lead", "trail ", "a: b", "1:30", "0x1F", "é"],
    },
]
_JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "check"},
    "spec": {
        "template": {"spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", "true"]}]}}
    },
}
_EXTENSIONS = ["siderolabs/gvisor", "siderolabs/iscsi-tools", "siderolabs/qemu-guest-agent"]
_KERNEL_ARGS = ["console=ttyS0", "net.ifnames=0", "-quiet"]


def cases() -> list[Case]:
    """Return the templates, the same for each call."""
    chance = random.Random(SEED)
    return [_case(chance, number) for number in range(COUNT)]


def _case(chance: random.Random, number: int) -> Case:
    maker = _Maker(chance)
    documents = maker.documents()
    name = f"generated-{number:03}"
    if number % 2:
        mistake = _MISTAKES[number // 2 % len(_MISTAKES)]
        mistake(documents, chance)
        name += f"-{mistake.__name__}"
    text = yaml.safe_dump_all(
        documents,
        sort_keys=False,
        indent=chance.choice((2, 4)),
        default_flow_style=chance.choice((False, False, None)),
        explicit_start=chance.random() < 0.3,
        width=chance.choice((60, 1000)),
    )
    return Case(name, text, maker.files)


class _Maker:
    """Makes one valid template, and the files that it names."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.files: dict[str, str] = {}

    def documents(self) -> list[dict[str, Any]]:
        """Return the documents, in one of the orders that people write them in."""
        cluster = self._cluster()
        control_plane = self._machine_set("ControlPlane", 3)
        workers = [self._workers(number) for number in range(self._chance.choice((0, 1, 1, 2, 3)))]
        sets = [control_plane, *workers]
        if "kernelArgs" in cluster and any("machineClass" in each for each in sets):
            del cluster["kernelArgs"]
        machines = [
            self._machine(id, each["kind"] == "Workers")
            for each in sets
            for id in each.get("machines", ())
            if self._maybe(0.5)
        ]
        documents = [cluster, *sets, *machines]
        if self._maybe(0.2):
            documents = [*machines, *sets, cluster]
        return documents

    def _maybe(self, likelihood: float) -> bool:
        return self._chance.random() < likelihood

    def _cluster(self) -> dict[str, Any]:
        kubernetes: dict[str, Any] = {"version": self._chance.choice(("v1.34.1", "1.33.0", "v1.32.4-rc.0"))}
        document = {
            "kind": "Cluster",
            "name": f"{self._chance.choice(('prod', 'edge_2', 'Lab', 'test-cluster'))}{self._chance.randrange(100)}",
            "kubernetes": kubernetes,
            "talos": {"version": self._chance.choice(("v1.11.5", "v1.12.0-beta.1", "v1.10.9"))},
        }
        self._describe(document)
        if self._maybe(0.5):
            document["features"] = self._features()
        if self._maybe(0.4):
            kubernetes["manifests"] = [self._manifest(number) for number in range(self._chance.choice((1, 2, 3)))]
        if self._maybe(0.4):
            kubernetes["healthchecks"] = [self._health_check(number) for number in range(self._chance.choice((1, 2)))]
        self._extend(document)
        return document

    def _features(self) -> dict[str, Any]:
        names = (
            "diskEncryption",
            "enableWorkloadProxy",
            "useEmbeddedDiscoveryService",
            "disablePublicDiscoveryService",
            "enableNodeAuditSkip",
        )
        features: dict[str, Any] = {name: self._maybe(0.5) for name in names if self._maybe(0.5)}
        if self._maybe(0.5):
            features["backupConfiguration"] = {
                "interval": self._chance.choice(("1h", "90m", "1h30m15.5s", "0s", "24h0m0s"))
            }
        return features

    def _describe(self, document: dict[str, Any]) -> None:
        if self._maybe(0.3):
            document["labels"] = {"team": "a", "tier": self._chance.choice(("gold", "", "yes"))}
        if self._maybe(0.3):
            document["annotations"] = {"example.com/owner": "someone", "note": "two\nlines"}

    def _extend(self, document: dict[str, Any]) -> None:
        if self._maybe(0.5):
            document["patches"] = [self._patch(number) for number in range(self._chance.choice((1, 1, 2, 4)))]
        if self._maybe(0.3):
            document["systemExtensions"] = self._chance.sample(_EXTENSIONS, self._chance.randrange(4))
        if self._maybe(0.3) and "machineClass" not in document:
            document["kernelArgs"] = self._chance.sample(_KERNEL_ARGS, self._chance.randrange(4))

    def _content(self, contents: list[Any], key: str) -> dict[str, Any]:
        content = self._chance.choice(contents)
        if not self._maybe(0.3):
            return {key: content}
        name = f"{self._chance.choice(('patches', './files', 'a/../b'))}/{len(self.files)}.yaml"
        text = (
            content
            if isinstance(content, str)
            else yaml.safe_dump_all(content if isinstance(content, list) else [content])
        )
        self.files[name] = text
        return {"file": name}

    def _patch(self, number: int) -> dict[str, Any]:
        patch = self._content(_PATCHES, "inline")
        if "inline" in patch or self._maybe(0.5):
            if self._maybe(0.2):
                patch["idOverride"] = f"{self._chance.randrange(10**9)}-own-id"
            if "idOverride" not in patch or self._maybe(0.5):
                patch["name"] = self._chance.choice((f"patch-{number}", f"a name {number}", f"p{number}.yaml"))
        self._describe(patch)
        return patch

    def _manifest(self, number: int) -> dict[str, Any]:
        manifest = {
            "name": f"manifest-{number}",
            "mode": self._chance.choice(("full", "one-time")),
            **self._content(_MANIFESTS, "inline"),
        }
        if "file" in manifest and self._maybe(0.5):
            del manifest["name"]
        self._describe(manifest)
        return manifest

    def _health_check(self, number: int) -> dict[str, Any]:
        check = {self._chance.choice(("name", "idOverride")): f"check-{number}", **self._content([_JOB], "job")}
        if self._maybe(0.5):
            check["interval"] = self._chance.choice(("30s", "1m30s", "500ms"))
        self._describe(check)
        return check

    def _id(self) -> str:
        digits = f"{self._chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _machine_set(self, kind: str, most: int) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": kind}
        if self._maybe(0.3):
            size = self._chance.choice((0, 1, 3, "5", "unlimited", "Unlimited", "∞", "infinity"))
            document["machineClass"] = {"name": "class a", "size": size}
        else:
            document["machines"] = [self._id() for _ in range(self._chance.randrange(most + 1))]
        if kind == "ControlPlane" and self._maybe(0.2):
            document["bootstrapSpec"] = {"clusterUUID": self._id(), "snapshot": "FFFFFFFF9A99FBF4.snapshot"}
        if self._maybe(0.3):
            document["upgradeStrategy"] = self._strategy()
        self._describe(document)
        self._extend(document)
        return document

    def _workers(self, number: int) -> dict[str, Any]:
        document = self._machine_set("Workers", 4)
        if number:
            document["name"] = f"{self._chance.choice(('gpu', 'storage', 'edge'))}-{number}"
        for name in ("updateStrategy", "deleteStrategy"):
            if self._maybe(0.4):
                document[name] = self._strategy()
        return document

    def _strategy(self) -> dict[str, Any]:
        strategy: dict[str, Any] = {}
        if self._maybe(0.7):
            strategy["type"] = self._chance.choice(("Rolling", "Unset"))
        if self._maybe(0.7):
            strategy["rolling"] = {"maxParallelism": self._chance.randrange(1, 6)} if self._maybe(0.8) else {}
        return strategy

    def _machine(self, id: str, may_lock: bool) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": "Machine", "name": id}
        if may_lock and self._maybe(0.4):
            document["locked"] = True
        if self._maybe(0.4):
            document["install"] = self._chance.choice(
                ({"disk": "/dev/nvme0n1"}, {"diskSelector": 'disk.size > 100u * GiB && disk.transport == "nvme"'})
            )
        self._describe(document)
        self._extend(document)
        return document


_Documents: TypeAlias = list[dict[str, Any]]


def _of(documents: _Documents, kind: str) -> dict[str, Any]:
    return next(each for each in documents if each["kind"] == kind)


def unknown_field(documents: _Documents, chance: random.Random) -> None:
    chance.choice(documents)["kernelArguments"] = []


def unknown_field_within(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["talos"]["verison"] = "v1.11.5"


def no_kind(documents: _Documents, chance: random.Random) -> None:
    del chance.choice(documents)["kind"]


def unknown_kind(documents: _Documents, chance: random.Random) -> None:
    chance.choice(documents)["kind"] = "Worker"


def no_cluster(documents: _Documents, chance: random.Random) -> None:
    documents.remove(_of(documents, "Cluster"))


def no_control_plane(documents: _Documents, chance: random.Random) -> None:
    documents.remove(_of(documents, "ControlPlane"))


def two_control_planes(documents: _Documents, chance: random.Random) -> None:
    documents.append({"kind": "ControlPlane"})


def bad_name(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["name"] = chance.choice(("", "a b", "a.b", "a/b"))


def bad_kubernetes_version(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kubernetes"]["version"] = chance.choice(("", "latest", "v1.x", "1.34.1.2", "v1.34-rc.0"))


def talos_version_without_v(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["talos"]["version"] = "1.11.5"


def old_encryption(documents: _Documents, chance: random.Random) -> None:
    cluster = _of(documents, "Cluster")
    cluster["talos"]["version"] = chance.choice(("v1.4.8", "v1.5.0-alpha.3"))
    cluster["features"] = {"diskEncryption": True}


def own_label(documents: _Documents, chance: random.Random) -> None:
    chance.choice(documents)["labels"] = {"omni.sidero.dev/cluster": "other"}


def own_annotation(documents: _Documents, chance: random.Random) -> None:
    chance.choice(documents)["annotations"] = {"omni.sidero.dev/locked": ""}


def bad_machine_id(documents: _Documents, chance: random.Random) -> None:
    control_plane = _of(documents, "ControlPlane")
    control_plane.pop("machineClass", None)
    control_plane["machines"] = ["not-a-uuid"]


def machine_twice(documents: _Documents, chance: random.Random) -> None:
    id = "9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"
    documents.append({"kind": "Workers", "name": "twice", "machines": [id, id]})


def machine_in_two_sets(documents: _Documents, chance: random.Random) -> None:
    id = "9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"
    documents.extend({"kind": "Workers", "name": name, "machines": [id]} for name in ("one", "other"))


def machine_in_no_set(documents: _Documents, chance: random.Random) -> None:
    documents.append({"kind": "Machine", "name": "9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"})


def locked_control_plane(documents: _Documents, chance: random.Random) -> None:
    id = "9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"
    control_plane = _of(documents, "ControlPlane")
    control_plane.pop("machineClass", None)
    control_plane["machines"] = [id]
    documents.append({"kind": "Machine", "name": id, "locked": True})


def machines_and_class(documents: _Documents, chance: random.Random) -> None:
    documents.append(
        {
            "kind": "Workers",
            "name": "both",
            "machines": ["9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"],
            "machineClass": {"name": "a", "size": 1},
        }
    )


def class_and_kernel_args(documents: _Documents, chance: random.Random) -> None:
    documents.append(
        {"kind": "Workers", "name": "args", "machineClass": {"name": "a", "size": 1}, "kernelArgs": ["quiet"]}
    )


def class_and_kernel_args_of_cluster(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kernelArgs"] = ["quiet"]
    documents.append({"kind": "Workers", "name": "args", "machineClass": {"name": "a", "size": 1}})


def bad_size(documents: _Documents, chance: random.Random) -> None:
    size = chance.choice(("many", "-1", -2, 1.5, "4294967296", ""))
    documents.append({"kind": "Workers", "name": "size", "machineClass": {"name": "a", "size": size}})


def workers_twice(documents: _Documents, chance: random.Random) -> None:
    documents.extend({"kind": "Workers", "name": "again"} for _ in range(2))


def workers_named_as_default(documents: _Documents, chance: random.Random) -> None:
    documents.extend(({"kind": "Workers", "name": "workers"}, {"kind": "Workers"}))


def workers_named_as_control_plane(documents: _Documents, chance: random.Random) -> None:
    documents.append({"kind": "Workers", "name": "control-planes"})


def named_control_plane(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "ControlPlane")["name"] = "main"


def strategy_of_control_plane(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "ControlPlane")[chance.choice(("updateStrategy", "deleteStrategy"))] = {"type": "Rolling"}


def unknown_strategy(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "ControlPlane")["upgradeStrategy"] = {"type": chance.choice(("rolling", "Fast", ""))}


def half_bootstrap_spec(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "ControlPlane")["bootstrapSpec"] = chance.choice(({"snapshot": "a"}, {"clusterUUID": "b"}, {}))


def bootstrap_spec_of_workers(documents: _Documents, chance: random.Random) -> None:
    documents.append({"kind": "Workers", "name": "boot", "bootstrapSpec": {"snapshot": "a", "clusterUUID": "b"}})


def _add_patch(documents: _Documents, chance: random.Random, patch: dict[str, Any]) -> None:
    chance.choice(documents).setdefault("patches", []).append(patch)


def patch_without_name(documents: _Documents, chance: random.Random) -> None:
    _add_patch(documents, chance, {"inline": _PATCHES[0]})


def patch_without_content(documents: _Documents, chance: random.Random) -> None:
    _add_patch(documents, chance, {"name": "nothing"})


def patch_with_both(documents: _Documents, chance: random.Random) -> None:
    _add_patch(documents, chance, {"name": "both", "inline": _PATCHES[0], "file": "a.yaml"})


def patch_without_file(documents: _Documents, chance: random.Random) -> None:
    _add_patch(documents, chance, {"file": "patches/absent.yaml"})


def patch_of_own_field(documents: _Documents, chance: random.Random) -> None:
    content = chance.choice(
        (
            {"cluster": {"clusterName": "x"}},
            {"machine": {"install": {"disk": "/dev/sda"}}},
            {"machine": {"token": "abc.def"}},
            {"cluster": {"controlPlane": {"endpoint": "https://a.test:6443"}}},
            "machine:\n  type: worker\n",
        )
    )
    _add_patch(documents, chance, {"name": "own", "inline": content})


def patch_of_admin_role(documents: _Documents, chance: random.Random) -> None:
    access = {"enabled": True, "allowedRoles": ["os:reader", "os:admin"], "allowedKubernetesNamespaces": ["a"]}
    content = {"machine": {"features": {"kubernetesTalosAPIAccess": access}}}
    _add_patch(documents, chance, {"name": "admin", "inline": content})


def patch_id_twice(documents: _Documents, chance: random.Random) -> None:
    for _ in range(2):
        _add_patch(documents, chance, {"idOverride": "500-mine", "inline": _PATCHES[0]})


def patch_is_a_number(documents: _Documents, chance: random.Random) -> None:
    _add_patch(documents, chance, {"name": "number", "inline": chance.choice((5, True, [1, 2], ["text"]))})


def manifest_without_mode(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kubernetes"]["manifests"] = [{"name": "a", "inline": _MANIFESTS[0]}]


def manifest_of_unknown_mode(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kubernetes"]["manifests"] = [{"name": "a", "mode": "once", "inline": _MANIFESTS[0]}]


def manifest_twice(documents: _Documents, chance: random.Random) -> None:
    manifest = {"name": "a", "mode": "full", "inline": _MANIFESTS[0]}
    _of(documents, "Cluster")["kubernetes"]["manifests"] = [manifest, dict(manifest)]


def manifest_without_name(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kubernetes"]["manifests"] = [{"mode": "full", "inline": _MANIFESTS[0]}]


def health_check_without_job(documents: _Documents, chance: random.Random) -> None:
    _of(documents, "Cluster")["kubernetes"]["healthchecks"] = [{"name": "a"}]


def health_check_twice(documents: _Documents, chance: random.Random) -> None:
    checks = [{"name": "a", "job": _JOB}, {"idOverride": "a", "job": _JOB}]
    _of(documents, "Cluster")["kubernetes"]["healthchecks"] = checks


def bad_interval(documents: _Documents, chance: random.Random) -> None:
    interval = chance.choice(("1 hour", "1d", "", "h", True, [1]))
    _of(documents, "Cluster")["features"] = {"backupConfiguration": {"interval": interval}}


def two_disks(documents: _Documents, chance: random.Random) -> None:
    id = "9f2b7c52-7a43-4f55-a1a8-3c2b6f0f9a11"
    install = chance.choice(
        (
            {"disk": "/dev/sda", "diskSelector": "disk.size > 1u"},
            {"diskSelector": "disk.size"},
            {"diskSelector": "disk."},
        )
    )
    documents.append({"kind": "Workers", "name": "disks", "machines": [id]})
    documents.append({"kind": "Machine", "name": id, "install": install})


def wrong_types(documents: _Documents, chance: random.Random) -> None:
    key, value = chance.choice(
        (("labels", ["a"]), ("patches", {"name": "a"}), ("systemExtensions", "a"), ("labels", "a"))
    )
    chance.choice(documents)[key] = value


_MISTAKES: list[Callable[[_Documents, random.Random], None]] = [
    unknown_field,
    unknown_field_within,
    no_kind,
    unknown_kind,
    no_cluster,
    no_control_plane,
    two_control_planes,
    bad_name,
    bad_kubernetes_version,
    talos_version_without_v,
    old_encryption,
    own_label,
    own_annotation,
    bad_machine_id,
    machine_twice,
    machine_in_two_sets,
    machine_in_no_set,
    locked_control_plane,
    machines_and_class,
    class_and_kernel_args,
    class_and_kernel_args_of_cluster,
    bad_size,
    workers_twice,
    workers_named_as_default,
    workers_named_as_control_plane,
    named_control_plane,
    strategy_of_control_plane,
    unknown_strategy,
    half_bootstrap_spec,
    bootstrap_spec_of_workers,
    patch_without_name,
    patch_without_content,
    patch_with_both,
    patch_without_file,
    patch_of_own_field,
    patch_of_admin_role,
    patch_id_twice,
    patch_is_a_number,
    manifest_without_mode,
    manifest_of_unknown_mode,
    manifest_twice,
    manifest_without_name,
    health_check_without_job,
    health_check_twice,
    bad_interval,
    two_disks,
    wrong_types,
]
