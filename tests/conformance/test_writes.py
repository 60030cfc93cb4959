"""Writing: order of checks, versions, finalizers, owners, namespaces, limits (cluster-side §1, resource-service)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from omni_gateway.stubs import cosi_resource_pb2 as cosi
from omni_gateway.stubs import resources_pb2 as pb
from tests.conformance.outcomes import (
    DENIED,
    EXHAUSTED,
    EXISTS,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    UNIMPLEMENTED,
    UNKNOWN,
    Divergence,
    cases,
    expect,
    holds,
    outcome,
    same,
)
from tests.conformance.world import FINALIZER, PATCH, World
from tests.simulator.caller import DEADLINE, Caller, full, never_made

OWN = "MachineLabels"  # the type without rules and without finalizers


# -- the order of checks


def test_cluster_side_1_2_a_taken_id_with_an_invalid_spec_is_invalid(omni: World) -> None:
    name = omni.cluster()

    expect(EXISTS, lambda: omni.admin.create("Clusters", name, omni.versions.pair))
    expect(INVALID, lambda: omni.admin.create("Clusters", name))


def test_cluster_side_1_2_a_stale_version_with_an_invalid_spec_is_invalid(omni: World) -> None:
    read = omni.admin.get("Clusters", omni.settled_cluster())

    expect(EXISTS, lambda: omni.admin.update(read, version="1"))
    read["spec"]["talos_version"] = "0.0.1"
    expect(INVALID, lambda: omni.admin.update(read, version="1"))


@pytest.mark.parametrize(
    "role", cases("cluster-side 1.2, 16 p1 create", [(r, r) for r in ("Reader", "Auditor", "None")])
)
def test_denied_wins_over_invalid(omni: World, role: str) -> None:
    expect(DENIED, lambda: omni.by(role).create("Clusters", omni.name(), omni.versions.pair))
    expect(DENIED, lambda: omni.by(role).create("Clusters", omni.name()))


def test_cluster_side_1_2_denied_wins_over_invalid_on_an_update(omni: World, cluster: str) -> None:
    read = omni.admin.get("Clusters", cluster)
    read["spec"]["talos_version"] = "0.0.1"

    expect(DENIED, lambda: omni.by("Reader").update(read))
    expect(INVALID, lambda: omni.by("Operator").update(read))


def test_cluster_side_1_2_all_that_is_wrong_is_told_at_once(omni: World) -> None:
    try:
        omni.admin.create("Clusters", omni.name() + ".dot", {"talos_version": "0.0.1", "kubernetes_version": "x"})
    except grpc.RpcError as error:
        told = str(error.details())
        problems = [line for line in told.splitlines() if line.strip().startswith(("*", "-"))]
        holds(len(problems) >= 3, "the name and both versions are told of", told)
    else:
        raise Divergence(INVALID, OK)


def test_cluster_side_1_1_no_error_carries_details(omni: World) -> None:
    """1217 error replies were seen, and none had status details."""
    try:
        omni.admin.create("Clusters", omni.name())
    except grpc.RpcError as error:
        keys = {key for key, _ in error.trailing_metadata() or ()}
        holds("grpc-status-details-bin" not in keys, "no status details", keys)
    else:
        raise Divergence(INVALID, OK)


# -- codes of the resource service


def test_resource_service_no_runtime_is_invalid(omni: World) -> None:
    admin = omni.admin
    request = pb.ListRequest(namespace="default", type=full("Clusters"))
    signed = admin.signer.metadata("/omni.resources.ResourceService/List", [])  # type: ignore[union-attr]

    expect(INVALID, lambda: admin.stub.List(request, metadata=signed, timeout=DEADLINE))


def _update(caller: Caller, id_: str, version: str) -> Callable[[], object]:
    return lambda: caller.update({**never_made(OWN, id_)}, version=version)


@pytest.mark.parametrize(
    ("version", "wanted"),
    cases(
        "cluster-side 1.1, 16 p10 update with version",
        [
            ("of now", "2", OK),
            ("of before (stale)", "1", EXISTS),
            ("of the future", "7", EXISTS),
            ("undefined: last write wins", "undefined", OK),
            ("that is no number", "seven", UNKNOWN),
        ],
    ),
)
def test_the_version_of_an_update_counts(omni: World, version: str, wanted: str) -> None:
    name = omni.labels()
    omni.admin.update(omni.admin.get(OWN, name))

    expect(wanted, lambda: omni.admin.update(omni.admin.get(OWN, name), version=version))


def test_resource_service_the_requests_current_version_has_no_effect(omni: World) -> None:
    name = omni.labels()
    read = omni.admin.get(OWN, name)
    metadata = cosi.Metadata(namespace="default", type=full(OWN), id=name, version=str(read["metadata"]["version"]))
    request = pb.UpdateRequest(currentVersion="77", resource=pb.Resource(metadata=metadata, spec="{}"))

    expect(OK, lambda: omni.admin.stub.Update(request, metadata=omni.admin.metadata("Update"), timeout=DEADLINE))


@pytest.mark.parametrize(
    ("verb", "wanted"),
    cases(
        "cluster-side 16 p2, p7, p10 of what is missing",
        [
            ("get", "get", MISSING),
            ("teardown", "teardown", MISSING),
            ("delete", "delete", MISSING),
            ("update", "update", MISSING),
        ],
    ),
)
def test_what_is_missing_is_missing(omni: World, verb: str, wanted: str) -> None:
    name = omni.name()
    argument = (never_made(OWN, name),) if verb == "update" else (OWN, name)

    expect(wanted, lambda: getattr(omni.admin, verb)(*argument))


@pytest.mark.parametrize(
    ("spec", "wanted"),
    cases(
        "cluster-side 1.1, 16 p10 spec JSON",
        [
            ("unknown field", {"colour": "red"}, UNKNOWN),
            ("wrong type", {"features": "yes"}, UNKNOWN),
            ("a list", "[]", UNKNOWN),
            ("not JSON", "{", UNKNOWN),
        ],
    ),
)
def test_a_spec_that_does_not_fit_its_message_is_unknown(omni: World, spec: Any, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create("Clusters", omni.name(), spec))


def test_cluster_side_1_1_fields_are_taken_in_either_case_and_given_in_snake_case(omni: World) -> None:
    pair = omni.versions.pair
    name = omni.name()

    omni.admin.create(
        "Clusters", name, {"talosVersion": pair["talos_version"], "kubernetes_version": pair["kubernetes_version"]}
    )

    same(pair, omni.admin.get("Clusters", name)["spec"])


def test_cluster_side_1_1_an_owner_in_the_metadata_of_a_new_object_is_unknown(omni: World) -> None:
    expect(UNKNOWN, lambda: omni.admin.create(OWN, omni.name(), owner="Somebody"))


@pytest.mark.parametrize(
    "name", cases("cluster-side 1.1, machine-auth-detail 5", [(n, n) for n in ("Controllers", "DependencyGraph")])
)
def test_two_calls_are_not_implemented(omni: World, name: str) -> None:
    request = getattr(pb, f"{name}Request")()
    call = getattr(omni.admin.stub, name)

    expect(UNIMPLEMENTED, lambda: call(request, metadata=omni.admin.metadata(name), timeout=DEADLINE))


def test_machine_auth_detail_5_a_request_above_32_mib_is_too_large(omni: World) -> None:
    spec = {"data": "# " + "x" * (33 * 1024 * 1024)}
    expect(EXHAUSTED, lambda: _large_create(omni, spec))


def test_cluster_side_1_8_a_patch_of_more_than_a_megabyte_is_taken(omni: World) -> None:
    spec = {"data": PATCH.format(1) + "# " + "x" * 1_700_000 + "\n"}
    expect(OK, lambda: omni.admin.create("ConfigPatches", omni.name(), spec))


def _large_create(omni: World, spec: dict[str, str]) -> None:
    """Create over a channel without limits of its own, and uncompressed: the server must be the one to refuse."""
    omni.server.unlimited(
        lambda channel: Caller(channel, omni.server.admin_key).create("ConfigPatches", omni.name(), spec)
    )


# -- versions


@pytest.mark.parametrize(
    "sent", cases("cluster-side 1.4 create with version", [("7", "7"), ("undefined", "undefined")])
)
def test_a_new_object_has_version_1_whatever_was_sent(omni: World, sent: str) -> None:
    name = omni.name()

    omni.admin.create(OWN, name, version=sent)

    same(1, omni.admin.get(OWN, name)["metadata"]["version"])


def test_cluster_side_1_4_an_update_that_changes_nothing_raises_the_version(omni: World) -> None:
    name = omni.labels()

    omni.admin.update(omni.admin.get(OWN, name))
    omni.admin.update(omni.admin.get(OWN, name))

    same(3, omni.admin.get(OWN, name)["metadata"]["version"])


def test_cluster_side_1_4_updated_is_unset_until_the_first_update_and_created_stays(omni: World) -> None:
    name = omni.labels()
    before = omni.admin.get(OWN, name)["metadata"]

    omni.admin.update(omni.admin.get(OWN, name))

    after = omni.admin.get(OWN, name)["metadata"]
    same(before["created"], after["created"])
    holds(after["updated"] >= after["created"], "updated is set", after["updated"])


def test_cluster_side_1_4_a_new_cluster_gets_13_finalizers_and_version_14(omni: World) -> None:
    name = omni.cluster()

    read = omni.at_rest("Clusters", name, 13)

    same(13, len(read["metadata"]["finalizers"]))
    same(14, read["metadata"]["version"])


FINALIZERS = [
    "ClusterController",
    "ClusterStatusController",
    "ClusterDestroyStatusController",
    "ClusterUUIDController",
    "ClusterEndpointController",
    "ClusterConfigVersionController",
    "ClusterWorkloadProxyController",
    "ClusterWorkloadProxyStatusController",
    "ClusterKubernetesManifestsStatusController",
    "SecretsController",
    "BackupDataController",
    "TalosUpgradeStatusController",
    "KubernetesUpgradeStatusController",
]


@pytest.mark.parametrize("name", cases("cluster-side 2 finalizers of a Cluster", [(n, n) for n in FINALIZERS]))
def test_each_controller_holds_a_new_cluster(omni: World, cluster: str, name: str) -> None:
    holds(name in omni.admin.get("Clusters", cluster)["metadata"]["finalizers"], f"{name} is a finalizer", "it is not")


def test_cluster_side_1_4_a_new_machine_set_gets_versions_6_to_8(omni: World) -> None:
    cluster = omni.settled_cluster()
    omni.machine_set(cluster, "control-planes")
    name = omni.machine_set(cluster)

    version = omni.at_rest("MachineSets", name, 5)["metadata"]["version"]

    holds(6 <= version <= 8, "version 6 to 8", version)


# -- finalizers


def test_cluster_side_1_4_finalizers_left_out_are_erased_and_put_back(omni: World) -> None:
    name = omni.settled_cluster()
    omni.at_rest("Clusters", name, 13)

    omni.write("Clusters", name, lambda read: read["metadata"].pop("finalizers"))

    omni.until(
        lambda: set(omni.admin.get("Clusters", name)["metadata"].get("finalizers", ())) == set(FINALIZERS),
        "the controllers put their finalizers back",
    )


def test_cluster_side_1_4_a_finalizer_of_the_callers_own_blocks_the_end(omni: World) -> None:
    name = omni.name()
    omni.admin.create(OWN, name, finalizers=omni.hold())
    omni.admin.teardown(OWN, name)

    read = omni.admin.get(OWN, name)["metadata"]

    same(("tearingDown", [FINALIZER]), (read["phase"], read["finalizers"]))


def test_cluster_side_1_4_labels_and_annotations_left_out_are_erased(omni: World) -> None:
    name = omni.name()
    omni.admin.create(OWN, name, labels={"a": "1"}, annotations={"b": "2"})

    omni.admin.update(never_made(OWN, name))

    read = omni.admin.get(OWN, name)["metadata"]
    same((None, None), (read.get("labels"), read.get("annotations")))


# -- owners and namespaces


def test_cluster_side_16_p2_p7_a_controllers_object_is_nobody_elses(omni: World) -> None:
    if not omni.server.features.get("embedded_discovery_service"):
        pytest.skip("this Omni has no embedded discovery service, so makes no system patch")
    cluster = omni.cluster({"features": {"use_embedded_discovery_service": True}})
    name = f"950-discovery-service-{cluster}"
    read = omni.until(lambda: omni.there("ConfigPatches", name), f"the system patch {name} appears")

    holds(read["metadata"]["owner"], "the system patch has an owner", read["metadata"])
    expect(DENIED, lambda: omni.admin.update(read))
    expect(DENIED, lambda: omni.admin.teardown("ConfigPatches", name))
    expect(DENIED, lambda: omni.admin.delete("ConfigPatches", name))


@pytest.mark.parametrize(
    "type_", cases("cluster-side 1.6 user objects have no owner", [("Cluster", "Clusters"), ("MachineLabels", OWN)])
)
def test_what_a_user_makes_has_no_owner(omni: World, type_: str) -> None:
    name = omni.cluster() if type_ == "Clusters" else omni.labels()

    same("", omni.admin.get(type_, name)["metadata"]["owner"])


@pytest.mark.parametrize(
    "namespace",
    cases("cluster-side 1.7, 16 p1", [("wrong namespace", "ephemeral"), ("invented namespace", "conformance")]),
)
def test_a_namespace_is_not_checked(omni: World, namespace: str) -> None:
    name = omni.name()

    expect(OK, lambda: omni.admin.create("Clusters", name, omni.versions.pair, namespace=namespace))

    same(1, omni.admin.get("Clusters", name, namespace)["metadata"]["version"])
    expect(MISSING, lambda: omni.admin.get("Clusters", name))
    expect(MISSING, lambda: omni.admin.get("ClusterStatuses", name))


def test_cluster_side_1_7_reading_in_the_wrong_namespace_finds_nothing(omni: World) -> None:
    same(([], 0), omni.admin.list("TalosVersions", namespace="conformance-empty"))
    expect(MISSING, lambda: omni.admin.get("TalosVersions", omni.versions.talos, "ephemeral"))


# -- limits

NAMES = ["labels", "annotations"]
LIMITS: list[tuple[Any, ...]] = [
    ("257 labels", {"labels": {f"k{n}": "" for n in range(257)}}, INVALID, SINCE_1_10),
    ("256 labels", {"labels": {f"k{n}": "" for n in range(256)}}, OK),
    ("257 annotations", {"annotations": {f"k{n}": "" for n in range(257)}}, INVALID, SINCE_1_10),
    ("256 annotations", {"annotations": {f"k{n}": "" for n in range(256)}}, OK),
]
for _name in NAMES:
    LIMITS += [
        (f"{_name}, key of 1025 bytes", {_name: {"k" * 1025: ""}}, INVALID, SINCE_1_10),
        (f"{_name}, key of 1024 bytes", {_name: {"k" * 1024: ""}}, OK),
        (f"{_name}, empty key", {_name: {"": "x"}}, INVALID, SINCE_1_10),
        (f"{_name}, value of 16385 bytes", {_name: {"k": "v" * 16385}}, INVALID, SINCE_1_10),
        (f"{_name}, value of 16384 bytes", {_name: {"k": "v" * 16384}}, OK),
        (f"{_name}, newline in the value", {_name: {"k": "a\nb"}}, INVALID, SINCE_1_10),
        (f"{_name}, control character in the key", {_name: {"k\x01": "a"}}, INVALID, SINCE_1_10),
        (f"{_name}, unicode", {_name: {"schlüssel": "wert"}}, OK),
    ]


@pytest.mark.parametrize(("metadata", "wanted"), cases("cluster-side 1.8, 16 p11", LIMITS))
def test_metadata_has_limits(omni: World, metadata: dict[str, Any], wanted: str) -> None:
    expect(wanted, lambda: omni.admin.create(OWN, omni.name(), **metadata))


@pytest.mark.parametrize(
    ("suffix", "wanted"),
    cases(
        "cluster-side 1.8 id",
        [
            ("of 1025 bytes", "x" * 1025, INVALID, SINCE_1_10),
            ("of 1024 bytes", "x" * 1024, OK),
            ("with a control character", "\x01", INVALID, SINCE_1_10),
            ("empty", None, INVALID, SINCE_1_10),
        ],
    ),
)
def test_ids_have_limits(omni: World, suffix: str | None, wanted: str) -> None:
    name = omni.name()
    id_ = "" if suffix is None else name + suffix if len(suffix) == 1 else (name + suffix)[: len(suffix)]
    expect(wanted, lambda: omni.admin.create(OWN, id_))


@SINCE_1_10
def test_cluster_side_1_8_only_what_an_update_brings_in_is_checked(omni: World) -> None:
    name = omni.name()
    omni.admin.create(OWN, name, labels={"a": "1"})
    read = omni.admin.get(OWN, name)
    read["metadata"]["labels"]["b"] = "x\ny"

    expect(INVALID, lambda: omni.admin.update(read))

    read["metadata"]["labels"]["b"] = "fine"
    expect(OK, lambda: omni.admin.update(read))


# -- concurrent writers


def test_cluster_side_1_1_of_many_writers_with_one_version_one_wins(omni: World) -> None:
    name = omni.labels()
    read = omni.admin.get(OWN, name)
    outcomes: list[str] = []
    callers = [omni.by("admin") for _ in range(8)]
    writers = [
        threading.Thread(target=lambda caller=caller: outcomes.append(outcome(lambda: caller.update(read))))  # type: ignore[misc]
        for caller in callers
    ]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    same([EXISTS] * 7 + [OK], sorted(outcomes))
    same(2, omni.admin.get(OWN, name)["metadata"]["version"])


def test_cluster_side_1_1_of_many_that_create_one_id_one_wins(omni: World) -> None:
    name = omni.name()
    outcomes: list[str] = []
    callers = [omni.by("admin") for _ in range(8)]
    writers = [
        threading.Thread(target=lambda caller=caller: outcomes.append(outcome(lambda: caller.create(OWN, name))))  # type: ignore[misc]
        for caller in callers
    ]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    same([EXISTS] * 7 + [OK], sorted(outcomes))
