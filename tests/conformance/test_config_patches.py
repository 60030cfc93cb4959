"""ConfigPatches and the dry run of their content (cluster-side §6, §16 p5, p8, p13)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from omni_gateway.stubs import management_pb2 as pb
from tests.conformance.outcomes import DENIED, EXISTS, INVALID, MISSING, OK, SINCE_1_10, cases, expect, outcome, same
from tests.conformance.world import PATCH, World
from tests.simulator.caller import LABEL, never_made
from tests.simulator.service_calls import management

GOOD = PATCH.format(4096)
NEWLY_FORBIDDEN = {"cluster.ca", "cluster.serviceAccount", "machine.install.disk", "machine.token in a later document"}
CONTENT: list[tuple[str, str, str]] = [
    ("a sysctl", GOOD, OK),
    ("JSON object text", '{"machine": {"sysctls": {"a.b": "1"}}}', OK),
    ("several documents", GOOD + "---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: 192.0.2.1:8080\n", OK),
    ("delete marker", "machine:\n  sysctls:\n    $patch: delete\n", OK),
    ("empty", "", INVALID),
    ("invalid YAML", "machine: [", INVALID),
    ("a scalar", "machine", INVALID),
    ("a list (JSON patch)", '[{"op": "add", "path": "/machine/sysctls", "value": {}}]', INVALID),
    ("unknown key", "machine:\n  colour: red\n", INVALID),
    ("unknown top key", "colour: red\n", INVALID),
    ("unknown document kind", "apiVersion: v1alpha1\nkind: UnicornConfig\n", INVALID),
    ("a type that does not fit", "machine:\n  sysctls: 7\n", INVALID),
]
_DOCUMENT = "apiVersion: v1alpha1\nkind: {}\n"
_HOSTNAME = _DOCUMENT.format("HostnameConfig")
_LINK = _DOCUMENT.format("LinkConfig") + "name: eth0\n"
_SERVICE = _DOCUMENT.format("ExtensionServiceConfig") + "name: {}\n"
_VOLUME = _DOCUMENT.format("VolumeConfig") + "name: EPHEMERAL\nprovisioning:\n  maxSize: {}\n"
_FILE = "machine:\n  files:\n    - path: /var/a\n      op: create\n      content: a\n      permissions: {}\n"
_DESTINATION = "machine:\n  logging:\n    destinations:\n      - endpoint: {}\n        format: json_lines\n"
_RULE = _DOCUMENT.format("NetworkRuleConfig") + "name: a\nportSelector:\n  ports: [{}]\n  protocol: {}\n"
_RULE += "ingress:\n  - subnet: {}\n"
STRICT: list[tuple[Any, ...]] = [
    # which documents there may be
    ("version alone", "version: v1alpha1\n", INVALID),
    ("an empty mapping", "{}\n", INVALID),
    ("a comment alone", "# nothing\n", INVALID),
    ("version and an empty machine", "version: v1alpha1\nmachine: {}\n", OK),
    ("an empty document before another", "---\n---\n" + GOOD, OK),
    ("a list after a good document", GOOD + "---\n- a\n", INVALID),
    ("a document without an apiVersion", "kind: HostnameConfig\nhostname: a\n", INVALID),
    ("a document without a kind", "apiVersion: v1alpha1\nhostname: a\n", INVALID),
    ("a document of another apiVersion", "apiVersion: v1beta1\nkind: HostnameConfig\nhostname: a\n", INVALID),
    ("kind and apiVersion alone", _DOCUMENT.format("OOMConfig"), OK),
    ("the legacy document twice", "machine: {}\n---\ncluster: {}\n", INVALID),
    ("a document twice", (_HOSTNAME + "hostname: a\n---\n") * 2, INVALID),
    ("a named document twice", (_SERVICE.format("a") + "---\n") * 2, INVALID),
    ("two documents of two names", _SERVICE.format("a") + "---\n" + _SERVICE.format("b"), OK),
    ("two kinds for one link", _LINK + "---\n" + _LINK.replace("LinkConfig", "DummyLinkConfig"), INVALID),
    ("an unknown key in a document", _HOSTNAME + "colour: red\n", INVALID),
    # keys
    ("a key twice", 'machine:\n  sysctls:\n    a: "1"\n    a: "2"\n', INVALID),
    ("a section twice", "machine: {}\nmachine: {}\n", INVALID),
    ("a key twice in free-form content", "machine:\n  kubelet:\n    extraConfig:\n      a: 1\n      a: 2\n", INVALID),
    ("a merge key in a section", "machine:\n  <<: {env: {}}\n", INVALID),
    ("a merge key in a map of text", "machine:\n  sysctls:\n    <<: {a: b}\n", INVALID),
    ("a merge key in free-form content", "machine:\n  kubelet:\n    extraConfig: {<<: {a: b}}\n", OK),
    ("an anchor and its alias", "machine:\n  env: &a\n    x: y\n  sysctls: *a\n", OK),
    ("a key that is a list", "machine:\n  sysctls:\n    ? [a]\n    : b\n", INVALID),
    # booleans and numbers
    ("true", "machine:\n  features:\n    rbac: true\n", OK),
    ("true in quotes", 'machine:\n  features:\n    rbac: "true"\n', INVALID),
    ("yes", "machine:\n  features:\n    rbac: yes\n", OK),
    ("1 for a boolean", "machine:\n  features:\n    rbac: 1\n", INVALID),
    ("a number for text", "machine:\n  sysctls:\n    a: 1\n", OK),
    ("a boolean for text", "machine:\n  nodeLabels:\n    a: true\n", OK),
    ("a map for text", "machine:\n  env:\n    a: {b: c}\n", INVALID),
    ("a port in quotes", 'cluster:\n  controlPlane:\n    localAPIServerPort: "6443"\n', INVALID),
    ("permissions 0o644", _FILE.format("0o644"), OK),
    ("permissions 0644", _FILE.format("0644"), OK),
    ("permissions in quotes", _FILE.format('"0644"'), INVALID),
    ("permissions in letters", _FILE.format("rw-r--r--"), INVALID),
    ("permissions with a 9", _FILE.format("0o999"), INVALID),
    ("permissions below zero", _FILE.format("-1"), INVALID),
    ("permissions beyond 32 bits", _FILE.format("4294967296"), INVALID),
    # lists
    ("text for a list", "cluster:\n  network:\n    podSubnets: 10.0.0.0/8\n", INVALID),
    ("a list in a list", "machine:\n  certSANs: [[a]]\n", INVALID),
    ("a list for a map", "machine:\n  nodeLabels: [a]\n", INVALID),
    ("text for a list of mappings", "machine:\n  pods: [a]\n", INVALID),
    ("a null for a section", "machine:\n  sysctls: null\n", OK),
    ("text for a section", 'machine: ""\n', INVALID),
    # text of a form
    ("a duration", "machine:\n  time:\n    bootTimeout: 2m30s\n", OK),
    ("a duration without a unit", "machine:\n  time:\n    bootTimeout: 2\n", INVALID),
    ("a duration in days", "machine:\n  time:\n    bootTimeout: 1d\n", INVALID),
    ("a URL", _DESTINATION.format("tcp://192.0.2.1:514"), OK),
    ("a URL without a scheme", _DESTINATION.format('"://x"'), INVALID),
    ("a URL with a space in its host", _DESTINATION.format('"http://a b/"'), INVALID),
    ("a URL with a port in letters", _DESTINATION.format('"http://a:b/"'), INVALID),
    ("a volume's size", _VOLUME.format("10GiB"), OK),
    ("a volume's size in percent", _VOLUME.format("80%"), OK),
    ("a volume's size of no unit", _VOLUME.format("10XB"), INVALID),
    ("a volume's size in words", _VOLUME.format("large"), INVALID),
    ("a volume larger than the disk", _VOLUME.format("180%"), INVALID),
    ("a partition's size", "machine:\n  disks:\n    - device: /dev/sdb\n      partitions: [{size: 1GB}]\n", OK),
    (
        "a bad partition's size",
        "machine:\n  disks:\n    - device: /dev/sdb\n      partitions: [{size: all}]\n",
        INVALID,
    ),
    ("a disk to be found by size", 'machine:\n  install:\n    diskSelector:\n      size: ">= 10GB"\n', OK),
    ("a disk to be found by a bad size", 'machine:\n  install:\n    diskSelector:\n      size: "~ 1GB"\n', INVALID),
    ("a certificate that is no base64", 'cluster:\n  aggregatorCA:\n    crt: "###"\n', INVALID),
    ("a rule", _RULE.format('80, "81-90"', "tcp", "10.0.0.0/8"), OK),
    ("a port beyond 16 bits", _RULE.format("99999", "tcp", "10.0.0.0/8"), INVALID),
    ("a range of letters", _RULE.format('"a-b"', "tcp", "10.0.0.0/8"), INVALID),
    ("a protocol that there is not", _RULE.format("80", "carrier-pigeon", "10.0.0.0/8"), INVALID),
    ("a prefix without a length", _RULE.format("80", "tcp", "10.0.0.0"), INVALID),
    ("a prefix too long", _RULE.format("80", "tcp", "10.0.0.0/33"), INVALID),
    ("an address", _LINK + "routes: [{gateway: 192.0.2.1, table: main}]\n", OK),
    ("an address of three parts", _LINK + "routes: [{gateway: 192.0.2}]\n", INVALID),
    ("a routing table that there is not", _LINK + "routes: [{table: 10000}]\n", INVALID),
    ("a hardware address", _DOCUMENT.format("DummyLinkConfig") + 'name: d\nhardwareAddr: "02:00:00:00:00:01"\n', OK),
    ("a bad hardware address", _DOCUMENT.format("DummyLinkConfig") + "name: d\nhardwareAddr: zz\n", INVALID),
    ("an enumeration in capitals", _HOSTNAME + "auto: STABLE\n", OK),
    ("no word of an enumeration", _HOSTNAME + "auto: sometimes\n", INVALID),
    ("a date for text", "machine:\n  nodeAnnotations:\n    a: 2020-01-01\n", INVALID, SINCE_1_10),
    ("a list of arguments", "cluster:\n  apiServer:\n    extraArgs:\n      a: [b, c]\n", OK, SINCE_1_10),
    ("a map of arguments", "cluster:\n  apiServer:\n    extraArgs:\n      a: {b: c}\n", INVALID),
    ("a document of Talos 1.14", _DOCUMENT.format("SysctlConfig"), OK, SINCE_1_10),
    # deletions
    ("a document deleted", _HOSTNAME + "$patch: delete\n", OK),
    ("the legacy document deleted", "$patch: delete\n", INVALID),
    ("a document deleted without its apiVersion", "kind: HostnameConfig\n$patch: delete\n", INVALID),
    ("a list's item deleted", "machine:\n  network:\n    interfaces: [{interface: a, $patch: delete}]\n", OK),
    ("an item deleted without its name", "machine:\n  network:\n    interfaces: [{$patch: delete}]\n", INVALID),
    (
        "a key of an item deleted",
        "machine:\n  network:\n    interfaces: [{interface: a, bond: {$patch: delete}}]\n",
        INVALID,
    ),
    ("an unknown key deleted", "machine:\n  colour: {$patch: delete}\n", OK),
    ("another word for it", "machine:\n  sysctls: {$patch: keep}\n", OK),
    ("another word for it in a section", "machine:\n  features: {$patch: replace}\n", INVALID),
]
FORBIDDEN: dict[str, str] = {
    "cluster.clusterName": "cluster:\n  clusterName: x\n",
    "cluster.id": "cluster:\n  id: x\n",
    "cluster.controlPlane.endpoint": "cluster:\n  controlPlane:\n    endpoint: https://192.0.2.1:6443\n",
    "cluster.token": "cluster:\n  token: abcdef.0123456789abcdef\n",
    "cluster.secret": "cluster:\n  secret: x\n",
    "cluster.aescbcEncryptionSecret": "cluster:\n  aescbcEncryptionSecret: x\n",
    "cluster.secretboxEncryptionSecret": "cluster:\n  secretboxEncryptionSecret: x\n",
    "cluster.ca": "cluster:\n  ca:\n    crt: YQ==\n    key: YQ==\n",
    "cluster.acceptedCAs": "cluster:\n  acceptedCAs:\n    - crt: YQ==\n",
    "cluster.serviceAccount": "cluster:\n  serviceAccount:\n    key: YQ==\n",
    "machine.token": "machine:\n  token: x\n",
    "machine.ca": "machine:\n  ca:\n    crt: YQ==\n    key: YQ==\n",
    "machine.type": "machine:\n  type: worker\n",
    "machine.install.disk": "machine:\n  install:\n    disk: /dev/sda\n",
    "machine.install.extensions": "machine:\n  install:\n    extensions:\n      - image: example.org/gvisor:v1\n",
    "machine.acceptedCAs": "machine:\n  acceptedCAs:\n    - crt: YQ==\n",
    "machine.type, as null": "machine:\n  type: null\n",
    "machine.token, deleted": "machine:\n  token: {$patch: delete}\n",
    "machine.token in a later document": _HOSTNAME + "hostname: a\n---\nmachine:\n  token: x\n",
    "the document KubeClusterConfig": _DOCUMENT.format("KubeClusterConfig"),
    "the document DiscoveryIdentityConfig": _DOCUMENT.format("DiscoveryIdentityConfig"),
    "KubeServiceAccountConfig's issuer.privateKey": (
        _DOCUMENT.format("KubeServiceAccountConfig") + "issuer:\n  privateKey:\n    key: YQ==\n"
    ),
    "os:admin in KubeTalosAPIAccessConfig": _DOCUMENT.format("KubeTalosAPIAccessConfig") + "allowedRoles: [os:admin]\n",
    "os:admin in allowedRoles": (
        "machine:\n  features:\n    kubernetesTalosAPIAccess:\n      enabled: true\n      allowedRoles: [os:admin]\n"
        "      allowedKubernetesNamespaces: [default]\n"
    ),
}


@pytest.mark.parametrize(("data", "wanted"), cases("cluster-side 6, 16 p5 content", CONTENT))
def test_the_content_of_a_new_patch_is_checked(omni: World, data: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("ConfigPatches", omni.name(), {"data": data}))


@pytest.mark.parametrize(("data", "wanted"), cases("cluster-side 6 strict decoding", STRICT))
def test_the_content_of_a_patch_is_decoded_strictly(omni: World, data: str, wanted: str) -> None:
    expect(wanted, lambda: management(omni.admin, "ValidateConfig", pb.ValidateConfigRequest(config=data)))


@pytest.mark.parametrize(
    "field",
    cases(
        "cluster-side 6, 16 p5 forbidden",
        [(name, name, *([SINCE_1_10] if name in NEWLY_FORBIDDEN else [])) for name in FORBIDDEN],
    ),
)
def test_some_fields_are_omnis_own(omni: World, field: str) -> None:
    expect(INVALID, lambda: omni.admin.create("ConfigPatches", omni.name(), {"data": FORBIDDEN[field]}))


def test_cluster_side_6_compressed_content_that_cannot_be_read_is_unknown(omni: World) -> None:
    """InvalidArgument on the COSI surface; here it is unpacked while the JSON is read, which makes it Unknown."""
    spec = {"compressed_data": base64.b64encode(b"not zstd at all").decode()}
    expect("Unknown", lambda: omni.admin.create("ConfigPatches", omni.name(), spec))


TARGETS: list[tuple[str, dict[str, str]]] = [
    ("no labels", {}),
    ("a cluster that there is not", {"cluster": "nowhere"}),
    ("Omni's own system label", {"system-patch": ""}),
    ("a machine", {"machine": "no-such-machine"}),
    ("a set without a cluster", {"machine-set": "nowhere-workers"}),
    ("disabled", {"cluster": "nowhere", "disabled": ""}),
]


@pytest.mark.parametrize("labels", cases("cluster-side 6, 16 p5 labels", TARGETS))
def test_what_a_patch_is_for_is_not_checked(omni: World, labels: dict[str, str]) -> None:
    expect(OK, lambda: omni.patch(labels={LABEL + key: value for key, value in labels.items()}))


def test_cluster_side_16_p5_a_patch_moves_to_another_cluster(omni: World) -> None:
    patch = omni.patch(labels={LABEL + "cluster": "nowhere"})
    expect(
        OK,
        lambda: omni.write(
            "ConfigPatches", patch, lambda r: r["metadata"]["labels"].update({LABEL + "cluster": "else"})
        ),
    )


def test_cluster_side_16_p5_existing_stale_missing_deleted(omni: World) -> None:
    patch = omni.patch()

    expect(EXISTS, lambda: omni.admin.create("ConfigPatches", patch, {"data": GOOD}))
    omni.admin.change("ConfigPatches", patch, data=PATCH.format(1))
    read = omni.admin.get("ConfigPatches", patch)
    expect(EXISTS, lambda: omni.admin.update(read, version="1"))
    expect(MISSING, lambda: omni.admin.update(never_made("ConfigPatches", omni.name())))
    outcome(lambda: omni.admin.delete("ConfigPatches", patch))
    expect(MISSING, lambda: omni.admin.delete("ConfigPatches", patch))


@pytest.mark.parametrize(
    ("data", "wanted"),
    cases(
        "cluster-side 6 update",
        [
            ("same data", GOOD, OK),
            ("other data", PATCH.format(1), OK),
            ("bad data", "machine: [", INVALID),
            ("forbidden data", FORBIDDEN["machine.type"], INVALID),
        ],
    ),
)
def test_an_update_is_checked_when_the_data_changes(omni: World, data: str, wanted: str) -> None:
    patch = omni.patch()
    expect(wanted, lambda: omni.admin.change("ConfigPatches", patch, data=data))


def test_cluster_side_6_plain_data_of_any_size_stays_plain(omni: World) -> None:
    data = GOOD + "# " + "x" * 5000 + "\n"
    name = omni.name()

    omni.admin.create("ConfigPatches", name, {"data": data})

    same(data, omni.admin.get("ConfigPatches", name)["spec"].get("data"))


@pytest.mark.parametrize("role", cases("cluster-side 6 access", [("Operator", "Operator"), ("Reader", "Reader")]))
def test_operators_write_patches_readers_do_not(omni: World, role: str) -> None:
    wanted = OK if role == "Operator" else DENIED
    expect(wanted, lambda: omni.by(role).create("ConfigPatches", omni.name(), {"data": GOOD}))


VALIDATE: list[tuple[str, str, str, str]] = [
    ("good, Admin", "Admin", GOOD, OK),
    ("good, None", "None", GOOD, OK),
    ("bad, Admin", "Admin", "machine:\n  colour: red\n", INVALID),
    ("bad, None", "None", "machine:\n  colour: red\n", INVALID),
    ("forbidden, Admin", "Admin", FORBIDDEN["machine.token"], INVALID),
]


@pytest.mark.parametrize(("role", "config", "wanted"), cases("cluster-side 6, 16 p8 ValidateConfig", VALIDATE))
def test_anybody_who_signs_may_have_a_patch_checked(omni: World, role: str, config: str, wanted: str) -> None:
    request = pb.ValidateConfigRequest(config=config)
    expect(wanted, lambda: management(omni.by(role), "ValidateConfig", request))


def test_lifecycle_a_refusal_names_document_line_and_key(omni: World) -> None:
    import grpc

    try:
        omni.admin.create("ConfigPatches", omni.name(), {"data": "machine:\n  colour: red\n"})
    except grpc.RpcError as error:
        same(True, "colour" in str(error.details()))


# -- etcd backups (§11, p5, p13)


def _at(seconds: float) -> dict[str, Any]:
    return {"backup_at": datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC).isoformat()}


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    cases(
        "cluster-side 11, 16 p5 EtcdManualBackup",
        [
            ("now", 0, OK),
            ("50 s ago", -50, OK),
            ("in 50 s", 50, OK),
            ("5 min ago", -300, INVALID),
            ("in 5 min", 300, INVALID),
            ("empty", None, INVALID),
        ],
    ),
)
def test_a_backup_is_asked_for_now(omni: World, seconds: float | None, wanted: str) -> None:
    spec = {} if seconds is None else _at(seconds)
    expect(wanted, lambda: omni.admin.create("EtcdManualBackups", omni.name(), spec, namespace="ephemeral"))


def test_cluster_side_11_16_p5_a_second_request_is_an_update(omni: World) -> None:
    name = omni.name()
    omni.admin.create("EtcdManualBackups", name, _at(-5), namespace="ephemeral")
    read = omni.admin.get("EtcdManualBackups", name, "ephemeral")

    expect(EXISTS, lambda: omni.admin.create("EtcdManualBackups", name, _at(0), namespace="ephemeral"))
    expect(OK, lambda: omni.admin.update({**read, "spec": _at(0)}, version="undefined"))
    expect(INVALID, lambda: omni.admin.update({**read, "spec": _at(300)}, version="undefined"))


def test_cluster_side_16_p5_a_reader_asks_for_no_backup(omni: World) -> None:
    expect(DENIED, lambda: omni.by("Reader").create("EtcdManualBackups", omni.name(), _at(0), namespace="ephemeral"))


@SINCE_1_10
def test_cluster_side_11_a_backup_without_a_control_plane_fails(omni: World) -> None:
    cluster = omni.settled_cluster()

    omni.admin.create("EtcdManualBackups", cluster, _at(0), namespace="ephemeral")

    status = omni.until(lambda: omni.there("EtcdBackupStatuses", cluster, "metrics"), "EtcdBackupStatus appears")
    same(
        (2, True, None),
        (status["spec"].get("status"), bool(status["spec"].get("error")), status["spec"].get("last_backup_time")),
    )


QUERIES: list[tuple[str, str, str]] = [
    ("no term", "", "Unknown"),
    ("another term", "env=test", "Unknown"),
    ("unknown cluster", f"{LABEL}cluster=nowhere", MISSING),
    ("a cluster without backups", LABEL + "cluster={c}", OK),
]


@pytest.mark.parametrize(("selector", "wanted"), cases("cluster-side 11, 16 p13 EtcdBackups list", QUERIES))
def test_backups_are_listed_per_cluster(omni: World, cluster: str, selector: str, wanted: str) -> None:
    selectors = [selector.format(c=cluster)] if selector else []
    expect(wanted, lambda: omni.admin.list("EtcdBackups", *selectors, namespace="external"))


@pytest.mark.parametrize(
    ("id_", "wanted"),
    cases(
        "cluster-side 11, 16 p13 EtcdBackups get",
        [
            ("without a dash", "nodash", "Unknown"),
            ("tail no number", "cluster-tail", "Unknown"),
            ("absent", "nowhere-1795462043", MISSING),
        ],
    ),
)
def test_a_backups_id_is_cluster_and_seconds(omni: World, id_: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.get("EtcdBackups", id_, "external"))


@pytest.mark.parametrize(
    "verb", cases("cluster-side 11, 16 p13 EtcdBackups", [("create", "create"), ("update", "update")])
)
def test_backups_are_not_written(omni: World, verb: str) -> None:
    made = never_made("EtcdBackups", "nowhere-1795462043")
    made["metadata"]["namespace"] = "external"
    calls = {
        "create": lambda: omni.admin.create("EtcdBackups", "nowhere-1795462043", namespace="external"),
        "update": lambda: omni.admin.update(made),
    }
    expect(DENIED, calls[verb])


@pytest.mark.parametrize(
    ("spec", "wanted"),
    cases(
        "cluster-side 11, 16 p11 EtcdBackupS3Conf",
        [("empty", {}, OK), ("unreachable", {"bucket": "b", "region": "r", "endpoint": "http://127.0.0.1:1"}, INVALID)],
    ),
)
def test_a_bucket_is_tried_before_it_is_taken(omni: World, spec: dict[str, str], wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("EtcdBackupS3Configs", omni.name(), spec))


@pytest.mark.parametrize(
    "role", cases("cluster-side 11 EtcdBackupS3Conf", [("Operator", "Operator"), ("Reader", "Reader")])
)
def test_a_bucket_is_the_admins_alone(omni: World, role: str) -> None:
    expect(DENIED, lambda: omni.by(role).list("EtcdBackupS3Configs"))
    expect(DENIED, lambda: omni.by(role).create("EtcdBackupS3Configs", omni.name()))
