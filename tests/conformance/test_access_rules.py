"""Roles beyond the table: cluster-side §1.2, §1.9, §16 p0, p3; machine-auth-detail §1."""

from __future__ import annotations

import pytest

from tests.conformance.outcomes import (
    DENIED,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    UNAUTHENTICATED,
    UNIMPLEMENTED,
    UNKNOWN,
    cases,
    expect,
    same,
)
from tests.conformance.world import World
from tests.simulator.caller import never_made

# machine-auth-detail §1: class -> get and update of a missing id, as Operator and as Reader, then the types.
CLASSES = {
    "A user-managed": (
        (MISSING, MISSING),
        (MISSING, DENIED),
        (
            "MachineLabels",
            "ExtensionsConfigurations",
            "KernelArgs",
            "MachineInstallDiskConfigs",
            "MachineClasses",
            "MachineRequestSets",
            "InstallationMediaConfigs",
            "InfraMachineConfigs",
            "NodeForceDestroyRequests",
            "DefaultJoinTokens",
            "GRPCTunnelConfigs",
        ),
    ),
    "B read-only": (
        (MISSING, DENIED),
        (MISSING, DENIED),
        (
            "MachineStatuses",
            "MachineExtensions",
            "MachineExtensionsStatuses",
            "KernelArgsStatuses",
            "MachineConfigGenOptions",
            "MachineStatusSnapshots",
            "RedactedClusterMachineConfigs",
            "MachinePendingUpdates",
            "MachineUpgradeStatuses",
            "MaintenanceConfigStatuses",
            "ClusterMachines",
            "SchematicConfigurations",
            "LoadBalancerConfigs",
            "ExposedServices",
            "ImagePullRequests",
            "ImagePullStatuses",
            "JoinTokenStatuses",
            "NodeUniqueTokenStatuses",
        ),
    ),
    "C infra providers too": (
        (MISSING, DENIED),
        (MISSING, DENIED),
        ("Machines", "ConnectionParams", "SiderolinkAPIConfigs"),
    ),
    "D any signature": (
        (MISSING, DENIED),
        (MISSING, DENIED),
        ("KubernetesVersions", "TalosVersions", "TalosExtensions"),
    ),
    "E read and delete": ((MISSING, DENIED), (MISSING, DENIED), ("Links",)),
    "F no create": ((MISSING, MISSING), (MISSING, DENIED), ("JoinTokens",)),
    "G admins' own": (
        (DENIED, DENIED),
        (DENIED, DENIED),
        ("AccessPolicies", "SAMLLabelRules", "InfraMachineBMCConfigs"),
    ),
    "H admins read": ((DENIED, DENIED), (DENIED, DENIED), ("Identities", "Users")),
    "I nobody": ((DENIED, DENIED), (DENIED, DENIED), ("PublicKeys", "JoinTokenUsages", "NodeUniqueTokens", "Configs")),
}


CHANGED = {"MachineInstallDiskConfigs", "DefaultJoinTokens", "JoinTokens", "Links"}


def _class_rows() -> list[object]:
    rows = []
    for name, (operator, reader, types) in CLASSES.items():
        for type_ in types:
            marks = [SINCE_1_10] if type_ in CHANGED else []
            rows += [(f"{name}, {type_}, Operator", type_, "Operator", operator, *marks)]
            rows += [(f"{name}, {type_}, Reader", type_, "Reader", reader, *marks)]
    return cases("machine-auth-detail 1", rows)


@pytest.mark.parametrize(("type_", "role", "wanted"), _class_rows())
def test_a_missing_object_is_read_and_updated_as_its_class_says(
    omni: World, type_: str, role: str, wanted: tuple[str, str]
) -> None:
    caller, name = omni.by(role), omni.name()

    expect(wanted[0], lambda: caller.get(type_, name))
    expect(wanted[1], lambda: caller.update(never_made(type_, name)))


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "cluster-side 16 p0 list Clusters",
        [
            ("Admin", "Admin", OK),
            ("Operator", "Operator", OK),
            ("Reader", "Reader", OK),
            ("None", "None", DENIED),
            ("no signature", "anonymous", UNAUTHENTICATED),
        ],
    ),
)
def test_clusters_are_listed_by_readers_and_above(omni: World, role: str, wanted: str) -> None:
    expect(wanted, lambda: omni.by(role).list("Clusters"))


@pytest.mark.parametrize(
    "type_",
    cases(
        "cluster-side 16 p3",
        [("ImportedClusterSecrets", "ImportedClusterSecrets", SINCE_1_10)]
        + [
            (name, name)
            for name in (
                "ClusterSecrets",
                "Kubeconfigs",
                "TalosConfigs",
                "BackupDatas",
                "EtcdAuditResults",
                "SecretRotations",
                "ClusterMachineConfigs",
                "ClusterMachineSecrets",
                "ClusterMachineEncryptionKeys",
                "EtcdBackupEncryptions",
                "MachineSetConfigStatuses",
            )
        ],
    ),
)
def test_secrets_are_read_by_nobody(omni: World, type_: str) -> None:
    expect(DENIED, lambda: omni.admin.get(type_, omni.name()))


@pytest.mark.parametrize(
    ("verb", "wanted"),
    cases(
        "cluster-side 16 p1 unknown type",
        [
            ("get", "get", DENIED),
            ("list", "list", DENIED),
            ("teardown", "teardown", DENIED),
            ("create", "create", UNKNOWN),
        ],
    ),
)
def test_a_type_that_there_is_not_is_nobodys(omni: World, verb: str, wanted: str) -> None:
    arguments = () if verb == "list" else (omni.name(),)
    expect(wanted, lambda: getattr(omni.admin, verb)("Unicorns", *arguments))


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "cluster-side 1.2 update and teardown of a missing Cluster",
        [
            ("Reader", "Reader", DENIED, SINCE_1_10),
            ("Operator", "Operator", MISSING),
            ("Admin", "Admin", MISSING),
            ("None", "None", DENIED),
        ],
    ),
)
def test_the_role_is_looked_at_before_existence(omni: World, role: str, wanted: str) -> None:
    caller, name = omni.by(role), omni.name()

    expect(wanted, lambda: caller.update(never_made("Clusters", name)))
    expect(wanted, lambda: caller.teardown("Clusters", name))
    expect(wanted, lambda: caller.delete("Clusters", name))


def test_cluster_side_1_2_a_reader_that_gets_a_missing_object_learns_that_it_is_missing(omni: World) -> None:
    expect(MISSING, lambda: omni.by("Reader").get("Clusters", omni.name()))


@SINCE_1_10
@pytest.mark.parametrize(
    "type_",
    cases(
        "cluster-side 1.9 every write to a read-only type",
        [(name, name) for name in ("ClusterStatuses", "ClusterUUIDs", "TalosUpgradeStatuses", "LoadBalancerStatuses")],
    ),
)
def test_a_read_only_type_is_denied_whether_or_not_the_object_exists(omni: World, cluster: str, type_: str) -> None:
    read = omni.admin.get(type_, cluster)

    expect(DENIED, lambda: omni.admin.update(read))
    expect(DENIED, lambda: omni.admin.teardown(type_, cluster))
    expect(DENIED, lambda: omni.admin.delete(type_, cluster))
    expect(DENIED, lambda: omni.admin.create(type_, cluster))
    expect(DENIED, lambda: omni.admin.teardown(type_, omni.name()))


@pytest.mark.parametrize(
    ("type_", "namespace", "id_"),
    cases(
        "cluster-side 1.9 readable by any identity",
        [
            ("OngoingTasks", "OngoingTasks", "ephemeral", None),
            ("TalosVersions", "TalosVersions", "default", None),
            ("KubernetesVersions", "KubernetesVersions", "default", None),
            ("FeaturesConfigs", "FeaturesConfigs", "default", "features-config"),
            ("ClusterMetrics", "ClusterMetrics", "ephemeral", None),
            ("Notifications", "Notifications", "ephemeral", None),
            ("InstallationMedias", "InstallationMedias", "ephemeral", None),
            ("SysVersions", "SysVersions.system.sidero.dev", "ephemeral", "current"),
            ("CurrentUsers", "CurrentUsers", "virtual", "current"),
            ("Permissions", "Permissions", "virtual", "permissions"),
            ("ClusterPermissions", "ClusterPermissions", "virtual", "no-such-cluster"),
        ],
    ),
)
def test_some_types_are_for_everybody_who_signs(omni: World, type_: str, namespace: str, id_: str | None) -> None:
    nobody = omni.by("None")
    expect(OK, lambda: nobody.get(type_, id_, namespace) if id_ else nobody.list(type_, namespace=namespace))


@pytest.mark.parametrize(
    ("type_", "namespace", "wanted"),
    cases(
        "machine-auth-detail 1 oddities, list",
        [
            ("MachineRequestSetStatuses", "MachineRequestSetStatuses", "default", DENIED),
            ("ClusterPermissions", "ClusterPermissions", "virtual", UNIMPLEMENTED),
            ("LabelsCompletions", "LabelsCompletions", "virtual", UNIMPLEMENTED),
        ],
    ),
)
def test_some_lists_are_refused_to_all(omni: World, type_: str, namespace: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.list(type_, namespace=namespace))


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "machine-auth-detail 8 InfraProvider create",
        [("as Reader", "Reader", OK), ("as Auditor", "Auditor", OK), ("as None", "None", DENIED)],
    ),
)
def test_an_infra_provider_is_made_even_by_readers(omni: World, role: str, wanted: str) -> None:
    expect(wanted, lambda: omni.by(role).create("InfraProviders", omni.name(), namespace="infra-provider"))


@SINCE_1_10
@pytest.mark.parametrize(
    "id_",
    cases(
        "machine-auth-detail 8 InfraProvider create with a bad id",
        [("upper case", "-A"), ("underscore", "_b"), ("dot", ".b")],
    ),
)
def test_an_infra_providers_id_is_a_dns_label(omni: World, id_: str) -> None:
    expect(INVALID, lambda: omni.admin.create("InfraProviders", omni.name() + id_, namespace="infra-provider"))


@pytest.mark.parametrize(
    "role",
    cases(
        "machine-auth-detail 1 infra-provider namespace, existence first",
        [(role, role) for role in ("Reader", "Auditor", "Operator", "Admin")],
    ),
)
def test_in_the_providers_namespace_what_is_missing_is_missing_for_every_role(omni: World, role: str) -> None:
    missing = never_made("InfraMachines", omni.name())
    missing["metadata"]["namespace"] = "infra-provider"

    expect(MISSING, lambda: omni.by(role).update(missing))
    expect(MISSING, lambda: omni.by(role).teardown("InfraMachines", omni.name(), "infra-provider"))


@pytest.mark.parametrize(
    "type_",
    cases(
        "machine-auth-detail 1 readable by every signed identity",
        [("ProviderJoinConfigs", "ProviderJoinConfigs"), ("ConfigPatchRequests", "ConfigPatchRequests")],
    ),
)
def test_what_the_controllers_cache_serves_passes_by_the_roles(omni: World, type_: str) -> None:
    expect(OK, lambda: omni.by("None").list(type_, namespace="infra-provider"))


def test_machine_auth_side_6_the_caller_is_told_who_it_is(omni: World) -> None:
    found = omni.by("Operator").list("CurrentUsers", namespace="virtual")[0]

    same(1, len(found))
    same("Operator", found[0]["spec"]["role"])
    same("current", found[0]["metadata"]["id"])


@pytest.mark.parametrize(
    "role", cases("machine-auth-detail 1 J public, AuthConfigs", [(r, r) for r in ("None", "Reader", "Admin")])
)
def test_how_to_log_in_is_read_by_all_and_written_by_none(omni: World, role: str) -> None:
    config = omni.by(role).get("AuthConfigs", "auth-config")

    expect(DENIED, lambda: omni.by(role).update(config))
    expect(DENIED, lambda: omni.by(role).teardown("AuthConfigs", "auth-config"))


@pytest.mark.parametrize(
    ("type_", "id_", "wanted"),
    cases(
        "machine-auth-detail 4.1 no signature over ResourceService",
        [
            ("AuthConfigs", "AuthConfigs", "auth-config", OK),
            ("EulaAcceptances", "EulaAcceptances", "nobody", MISSING, SINCE_1_10),
            ("Clusters", "Clusters", "c", UNAUTHENTICATED),
        ],
    ),
)
def test_two_types_are_read_without_a_signature(omni: World, type_: str, id_: str, wanted: str) -> None:
    expect(wanted, lambda: omni.by("anonymous").get(type_, id_))


@pytest.mark.parametrize(
    "verb", cases("cluster-side 1.2 no signature", [(v, v) for v in ("create", "teardown", "delete", "list", "get")])
)
def test_nothing_else_is_done_without_one(omni: World, verb: str) -> None:
    arguments = () if verb == "list" else (omni.name(),)
    expect(UNAUTHENTICATED, lambda: getattr(omni.by("anonymous"), verb)("Clusters", *arguments))


def test_a_policy_on_its_own_id_is_for_admins(omni: World) -> None:
    """machine-auth-detail 4.4: Admin CRUD; an Operator may not even read."""
    expect(DENIED, lambda: omni.by("Operator").list("AccessPolicies"))
    expect(OK, lambda: omni.admin.list("AccessPolicies"))
    expect(INVALID, lambda: omni.admin.create("AccessPolicies", omni.name()))
