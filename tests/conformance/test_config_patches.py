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
NEWLY_FORBIDDEN = {"cluster.ca", "cluster.serviceAccount", "machine.install.disk"}
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
    "os:admin in allowedRoles": (
        "machine:\n  features:\n    kubernetesTalosAPIAccess:\n      enabled: true\n      allowedRoles: [os:admin]\n"
        "      allowedKubernetesNamespaces: [default]\n"
    ),
}


@pytest.mark.parametrize(("data", "wanted"), cases("cluster-side 6, 16 p5 content", CONTENT))
def test_the_content_of_a_new_patch_is_checked(omni: World, data: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("ConfigPatches", omni.name(), {"data": data}))


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
