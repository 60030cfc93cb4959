"""Each further type's rules: machine-auth-side §1-3, §6, machine-auth-detail §2.2, §3, §4.4-5, cluster-side §13."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.outcomes import (
    DENIED,
    EXISTS,
    INTERNAL,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    cases,
    expect,
    outcome,
    same,
)
from tests.conformance.world import World
from tests.simulator.caller import LABEL, never_made

CLASS = "MachineClasses"
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n"
JOB = """apiVersion: batch/v1
kind: Job
metadata:
  name: check
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: check
          image: busybox
          command: ["true"]
"""

# type, about, spec, labels (without their prefix), outcome, marks
Row = tuple[Any, ...]
ROWS: list[Row] = [
    (CLASS, "one selector", {"match_labels": ["a = b"]}, {}, OK),
    (CLASS, "terms joined by commas", {"match_labels": ["a = b, c in (d, e), !f"]}, {}, OK),
    (CLASS, "numeric selector", {"match_labels": ["omni.sidero.dev/cores >= 4"]}, {}, OK),
    (CLASS, "neither kind", {}, {}, INVALID),
    (CLASS, "both kinds", {"match_labels": ["a"], "auto_provision": {"provider_id": "none"}}, {}, INVALID),
    (CLASS, "a selector that does not parse", {"match_labels": ["a in (b"]}, {}, INVALID),
    (CLASS, "a selector on no-manual-allocation", {"match_labels": [LABEL + "no-manual-allocation"]}, {}, INVALID),
    (CLASS, "provisioning without a provider", {"auto_provision": {}}, {}, INVALID),
    (CLASS, "provisioning by an unknown provider", {"auto_provision": {"provider_id": "no-such"}}, {}, INVALID),
    ("KernelArgs", "some", {"args": ["a=b", "c"]}, {}, OK),
    ("KernelArgs", "none", {"args": []}, {}, OK),
    ("KernelArgs", "an empty one", {"args": [""]}, {}, OK),
    ("KernelArgs", "with spaces", {"args": ["a b"]}, {}, OK),
    ("KernelArgs", "siderolink's", {"args": ["siderolink.api=grpc://192.0.2.1"]}, {}, OK),
    ("KernelArgs", "64", {"args": [f"a{n}" for n in range(64)]}, {}, OK),
    ("KernelArgs", "65", {"args": [f"a{n}" for n in range(65)]}, {}, INVALID, SINCE_1_10),
    ("KernelArgs", "256 bytes", {"args": ["a" * 256]}, {}, OK),
    ("KernelArgs", "257 bytes", {"args": ["a" * 257]}, {}, INVALID, SINCE_1_10),
    ("KernelArgs", "a newline", {"args": ["a\nb"]}, {}, INVALID, SINCE_1_10),
    ("InfraMachineConfigs", "accepted", {"acceptance_status": 1}, {}, OK),
    ("InfraMachineConfigs", "rejected", {"acceptance_status": 2}, {}, OK),
    ("InfraMachineConfigs", "kernel args of 4096 bytes", {"extra_kernel_args": "a" * 4096}, {}, OK),
    ("InfraMachineConfigs", "kernel args of 4097 bytes", {"extra_kernel_args": "a" * 4097}, {}, INVALID, SINCE_1_10),
    ("InfraMachineConfigs", "reboot id of 129 bytes", {"requested_reboot_id": "a" * 129}, {}, INVALID, SINCE_1_10),
    ("InfraMachineConfigs", "control character", {"requested_reboot_id": "a\x01"}, {}, INVALID, SINCE_1_10),
    ("MachineInstallDiskConfigs", "disk", {"disk": "/dev/sda"}, {}, OK, SINCE_1_10),
    ("MachineInstallDiskConfigs", "any text as the disk", {"disk": "no disk"}, {}, OK, SINCE_1_10),
    ("MachineInstallDiskConfigs", "selector", {"disk_selector": "disk.size > 1u"}, {}, OK, SINCE_1_10),
    ("MachineInstallDiskConfigs", "neither", {}, {}, INVALID, SINCE_1_10),
    ("MachineInstallDiskConfigs", "both", {"disk": "/dev/sda", "disk_selector": "true"}, {}, INVALID, SINCE_1_10),
    (
        "MachineInstallDiskConfigs",
        "a selector that does not compile",
        {"disk_selector": "disk.size >"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "MachineInstallDiskConfigs",
        "a selector that is not boolean",
        {"disk_selector": "disk.size"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    ("ExtensionsConfigurations", "empty list, no labels", {"extensions": []}, {}, OK),
    ("ExtensionsConfigurations", "a known one", {"extensions": ["{extension}"]}, {"cluster": "{c}"}, OK),
    ("ExtensionsConfigurations", "without the vendor's prefix", {"extensions": ["{short}"]}, {"cluster": "{c}"}, OK),
    (
        "ExtensionsConfigurations",
        "of a set that there is not",
        {"extensions": ["{extension}"]},
        {"cluster": "{c}", "machine-set": "none"},
        OK,
    ),
    (
        "ExtensionsConfigurations",
        "of a machine that there is not",
        {"extensions": ["{extension}"]},
        {"cluster": "{c}", "cluster-machine": "none"},
        OK,
    ),
    ("ExtensionsConfigurations", "no cluster", {"extensions": ["{extension}"]}, {}, INVALID),
    ("ExtensionsConfigurations", "missing cluster", {"extensions": ["{extension}"]}, {"cluster": "nowhere"}, INVALID),
    ("ExtensionsConfigurations", "a machine alone", {"extensions": ["{extension}"]}, {"machine": "none"}, INVALID),
    ("ExtensionsConfigurations", "unknown name", {"extensions": ["siderolabs/unicorn"]}, {"cluster": "{c}"}, INVALID),
    (
        "ExtensionsConfigurations",
        "twice",
        {"extensions": ["{extension}", "{extension}"]},
        {"cluster": "{c}"},
        INVALID,
        SINCE_1_10,
    ),
    (
        "ExtensionsConfigurations",
        "twice, once short",
        {"extensions": ["{extension}", "{short}"]},
        {"cluster": "{c}"},
        INVALID,
        SINCE_1_10,
    ),
    (
        "ExtensionsConfigurations",
        "257",
        {"extensions": [f"siderolabs/x{n}" for n in range(257)]},
        {"cluster": "{c}"},
        INVALID,
    ),
    (
        "InstallationMediaConfigs",
        "architecture and version",
        {"architecture": 1, "talos_version": "{talos}"},
        {},
        OK,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "version with v",
        {"architecture": 1, "talos_version": "v{talos}"},
        {},
        OK,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "unknown join token",
        {"architecture": 1, "talos_version": "{talos}", "join_token": "x"},
        {},
        OK,
        SINCE_1_10,
    ),
    ("InstallationMediaConfigs", "no architecture", {"talos_version": "{talos}"}, {}, INVALID, SINCE_1_10),
    (
        "InstallationMediaConfigs",
        "cloud and board",
        {
            "architecture": 1,
            "talos_version": "{talos}",
            "cloud": {"platform": "aws"},
            "sbc": {"overlay": "rpi_generic"},
        },
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "empty platform",
        {"architecture": 1, "talos_version": "{talos}", "cloud": {}},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "unknown platform",
        {"architecture": 1, "talos_version": "{talos}", "cloud": {"platform": "moon"}},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "empty overlay",
        {"architecture": 1, "talos_version": "{talos}", "sbc": {}},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "unknown overlay",
        {"architecture": 1, "talos_version": "{talos}", "sbc": {"overlay": "moon"}},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "unknown version",
        {"architecture": 1, "talos_version": "0.0.1"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "unknown extension",
        {"architecture": 1, "talos_version": "{talos}", "install_extensions": ["siderolabs/unicorn"]},
        {},
        INVALID,
        SINCE_1_10,
    ),
    ("InstallationMediaConfigs", "no version", {"architecture": 1}, {}, OK, SINCE_1_10),
    (
        "InstallationMediaConfigs",
        "an extension of the default version",
        {"architecture": 1, "install_extensions": ["siderolabs/iscsi-tools"]},
        {},
        OK,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "a newline in the kernel arguments",
        {"architecture": 1, "talos_version": "{talos}", "kernel_args": "a\nb"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "InstallationMediaConfigs",
        "another image factory",
        {"architecture": 1, "talos_version": "{talos}", "image_factory_url": "https://factory.example.org"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    ("MachineRequestSets", "no provider", {"talos_version": "{talos}", "machine_count": 1}, {}, INVALID),
    (
        "MachineRequestSets",
        "unknown provider",
        {"provider_id": "no-such", "talos_version": "{talos}", "machine_count": 1},
        {},
        INVALID,
    ),
    ("KubernetesManifestGroups", "one manifest", {"mode": 1, "data": MANIFEST}, {"cluster": "{c}"}, OK, SINCE_1_10),
    ("KubernetesManifestGroups", "once only", {"mode": 2, "data": MANIFEST}, {"cluster": "{c}"}, OK, SINCE_1_10),
    ("KubernetesManifestGroups", "no cluster", {"mode": 1, "data": MANIFEST}, {}, INVALID, SINCE_1_10),
    ("KubernetesManifestGroups", "no mode", {"data": MANIFEST}, {"cluster": "{c}"}, INVALID, SINCE_1_10),
    ("KubernetesManifestGroups", "nothing in it", {"mode": 1}, {"cluster": "{c}"}, OK, SINCE_1_10),
    ("KubernetesManifestGroups", "a comment", {"mode": 1, "data": "# none\n"}, {"cluster": "{c}"}, OK, SINCE_1_10),
    ("KubernetesManifestGroups", "no kind", {"mode": 1, "data": "kind: ''\n"}, {"cluster": "{c}"}, INVALID, SINCE_1_10),
    ("KubernetesManifestGroups", "no manifest", {"mode": 1, "data": "a: b\n"}, {"cluster": "{c}"}, INVALID, SINCE_1_10),
    ("KubernetesManifestGroups", "bad YAML", {"mode": 1, "data": "a: ["}, {"cluster": "{c}"}, INVALID, SINCE_1_10),
    (
        "KubernetesManifestGroups",
        "Omni's own label",
        {"mode": 1, "data": MANIFEST},
        {"cluster": "{c}", "system-manifest": ""},
        INVALID,
        SINCE_1_10,
    ),
    ("KubernetesHealthChecks", "a job", {"job": JOB}, {}, OK, SINCE_1_10),
    ("KubernetesHealthChecks", "every 5 s", {"job": JOB, "interval": "5s"}, {}, OK, SINCE_1_10),
    ("KubernetesHealthChecks", "every 4 s", {"job": JOB, "interval": "4s"}, {}, INVALID, SINCE_1_10),
    ("KubernetesHealthChecks", "every 0 s", {"job": JOB, "interval": "0s"}, {}, OK, SINCE_1_10),
    ("KubernetesHealthChecks", "no job", {}, {}, INVALID, SINCE_1_10),
    ("KubernetesHealthChecks", "a job that is text", {"job": "text"}, {}, INVALID, SINCE_1_10),
    ("KubernetesHealthChecks", "a job with bad metadata", {"job": "metadata: x\n"}, {}, INVALID, SINCE_1_10),
    ("KubernetesHealthChecks", "a job that does not parse", {"job": "a: ["}, {}, INVALID, SINCE_1_10),
    ("RotateTalosCAs", "of a cluster that there is not", {}, {}, OK),
    ("RotateKubernetesCAs", "of a cluster that there is not", {}, {}, OK),
    ("ImportedClusterSecrets", "no bundle", {}, {}, INVALID),
    ("ImportedClusterSecrets", "a bundle that is none", {"data": "a: b\n"}, {}, INVALID),
    ("MachineLabels", "of a machine that there is not", {}, {}, OK),
    ("MachineLabels", "Omni's own keys", {}, {"cores": "1000"}, OK),
    ("NodeForceDestroyRequests", "no such cluster machine", {}, {}, INVALID),
    ("SAMLLabelRules", "a role", {"match_labels": ["a"], "assign_role": "Reader"}, {}, OK),
    ("SAMLLabelRules", "no role", {"match_labels": ["a"]}, {}, INVALID),
    ("SAMLLabelRules", "a role that is none", {"match_labels": ["a"], "assign_role": "Boss"}, {}, INVALID),
    (
        "SAMLLabelRules",
        "a role that is not given so",
        {"match_labels": ["a"], "assign_role": "Auditor"},
        {},
        INVALID,
        SINCE_1_10,
    ),
    (
        "SAMLLabelRules",
        "a selector that does not parse",
        {"match_labels": ["a in (b"], "assign_role": "Reader"},
        {},
        INVALID,
    ),
    (
        "SAMLLabelRules",
        "a role on registration",
        {"match_labels": ["a"], "assign_role_on_registration": "Reader"},
        {},
        INVALID,
    ),
    ("AccessPolicies", "any id but its own", {}, {}, INVALID),
    ("ImportedClusterSecrets", "empty parts", {"data": "cluster: {}\nsecrets: {}\ncerts: {}\n"}, {}, INVALID),
    ("InfraMachineBMCConfigs", "of a machine that there is not", {}, {}, OK),
    ("GRPCTunnelConfigs", "of a machine that there is not", {}, {}, OK),
]

# Not checked by an older Omni, which was tried.
CHANGED = {
    ("ExtensionsConfigurations", about)
    for about in ("no cluster", "missing cluster", "a machine alone", "unknown name", "257")
}


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    return value.format(**words) if isinstance(value, str) and value.startswith(("{", "v{")) else value


@pytest.fixture(scope="module")
def words(shared: World, cluster: str) -> dict[str, str]:
    """What the rows mean by ``{c}`` and the like."""
    talos = shared.versions.talos
    extension = shared.admin.get("TalosExtensions", talos)["spec"]["items"][0]["name"]
    return {"c": cluster, "talos": talos, "extension": extension, "short": extension.rpartition("/")[2]}


@pytest.mark.parametrize(
    ("type_", "spec", "labels", "wanted"),
    cases(
        "machine-auth-side 1-3, machine-auth-detail 2-4, cluster-side 13",
        [(f"{row[0]}, {row[1]}", row[0], *row[2:], *([SINCE_1_10] if row[:2] in CHANGED else [])) for row in ROWS],
    ),
)
def test_a_new_object_is_checked(
    omni: World, words: dict[str, str], type_: str, spec: dict[str, Any], labels: dict[str, str], wanted: str
) -> None:
    made = {LABEL + key: _filled(value, words) for key, value in labels.items()}
    expect(wanted, lambda: omni.admin.create(type_, omni.name(), _filled(spec, words), labels=made))


def test_machine_auth_detail_2_2_the_catalogue_of_extensions(omni: World) -> None:
    """Omni shows the image factory's list: full names, the version as its reference has it, nothing for itself."""
    items = omni.admin.get("TalosExtensions", omni.versions.talos)["spec"]["items"]
    names = [item["name"] for item in items]

    same(sorted(set(names)), sorted(names))
    same([], [name for name in names if not name.startswith("siderolabs/") or name == "siderolabs/metal-agent"])
    same([item["ref"].rpartition(":")[2] for item in items], [item["version"] for item in items])
    same([], [item["name"] for item in items if not item["digest"].startswith("sha256:") or not item["author"]])


# -- machine classes


def test_machine_auth_detail_3_1_a_class_in_use_stays_but_changes(omni: World) -> None:
    name = omni.name()
    omni.admin.create(CLASS, name, {"match_labels": ["conformance-none"]})
    cluster = omni.settled_cluster()
    omni.machine_set(cluster, spec={"machine_allocation": {"name": name, "machine_count": 1}})

    expect(INVALID, lambda: omni.admin.teardown(CLASS, name))
    expect(INVALID, lambda: omni.admin.delete(CLASS, name))
    expect(OK, lambda: omni.admin.change(CLASS, name, match_labels=["conformance-other"]))


def test_machine_auth_detail_3_1_a_class_does_not_change_its_kind(omni: World) -> None:
    name = omni.name()
    omni.admin.create(CLASS, name, {"match_labels": ["a"]})
    read = omni.admin.get(CLASS, name)

    expect(
        INTERNAL,
        lambda: omni.admin.update(
            {**read, "spec": {"auto_provision": {"provider_id": "no-such"}}}, version="undefined"
        ),
    )


@pytest.mark.parametrize(
    ("spec", "wanted"),
    cases(
        "machine-auth-detail 3.1 update",
        [("good", {"match_labels": ["b"]}, OK), ("bad", {"match_labels": ["b in ("]}, INVALID), ("none", {}, INVALID)],
    ),
)
def test_a_changed_class_is_checked(omni: World, spec: dict[str, Any], wanted: str) -> None:
    name = omni.name()
    omni.admin.create(CLASS, name, {"match_labels": ["a"]})
    read = omni.admin.get(CLASS, name)

    expect(wanted, lambda: omni.admin.update({**read, "spec": spec}, version="undefined"))


# -- what is set per machine


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    cases(
        "machine-auth-detail 2.2 InfraMachineConfig",
        [
            ("pending to accepted", 0, 1, OK),
            ("accepted to pending", 1, 0, INVALID),
            ("accepted to rejected", 1, 2, INVALID),
            ("rejected to accepted", 2, 1, OK),
        ],
    ),
)
def test_what_was_accepted_stays_accepted(omni: World, before: int, after: int, wanted: str) -> None:
    name = omni.name()
    omni.admin.create("InfraMachineConfigs", name, {"acceptance_status": before})

    expect(wanted, lambda: omni.admin.change("InfraMachineConfigs", name, acceptance_status=after))


def test_machine_auth_detail_2_2_an_accepted_one_without_a_link_may_go(omni: World) -> None:
    name = omni.name()
    omni.admin.create("InfraMachineConfigs", name, {"acceptance_status": 1})

    expect(OK, lambda: omni.admin.teardown("InfraMachineConfigs", name))


@pytest.mark.parametrize(
    "args",
    cases(
        "machine-auth-detail 8 KernelArgs update",
        [("65", ["a"] * 65, SINCE_1_10), ("257 bytes", ["a" * 257], SINCE_1_10)],
    ),
)
def test_changed_kernel_args_are_checked(omni: World, args: list[str]) -> None:
    name = omni.name()
    omni.admin.create("KernelArgs", name, {"args": ["a"]})

    expect(INVALID, lambda: omni.admin.change("KernelArgs", name, args=args))


def test_machine_auth_detail_8_machine_labels_stale_and_by_a_reader(omni: World) -> None:
    name = omni.labels(a="1")
    read = omni.admin.get("MachineLabels", name)
    omni.admin.update(read)

    expect(EXISTS, lambda: omni.admin.update(read))
    expect(DENIED, lambda: omni.by("Reader").update(read))


def test_machine_auth_detail_2_2_extensions_are_held_by_a_controller(
    omni: World, cluster: str, words: dict[str, str]
) -> None:
    name = omni.name()
    omni.admin.create(
        "ExtensionsConfigurations", name, {"extensions": [words["extension"]]}, labels={LABEL + "cluster": cluster}
    )

    read = omni.at_rest("ExtensionsConfigurations", name)

    same(["MachineExtensionsController"], read["metadata"]["finalizers"])


def test_machine_auth_detail_2_2_links_are_not_made(omni: World) -> None:
    expect(DENIED, lambda: omni.admin.create("Links", omni.name()))
    expect(MISSING, lambda: omni.admin.teardown("Links", omni.name()))


# -- import and rotation


def test_cluster_side_13_secrets_of_a_cluster_that_exists_are_not_imported(omni: World, cluster: str) -> None:
    expect(
        INVALID,
        lambda: omni.admin.create("ImportedClusterSecrets", cluster, {"data": "cluster: {}\nsecrets: {}\ncerts: {}\n"}),
    )


@SINCE_1_10
@pytest.mark.parametrize(
    "suffix",
    cases(
        "cluster-side 13 KubernetesHealthCheck id", [("a space", " a"), ("an underscore", "_a"), ("upper case", "-A")]
    ),
)
def test_a_health_checks_id_makes_a_dns_name(omni: World, suffix: str) -> None:
    expect(INVALID, lambda: omni.admin.create("KubernetesHealthChecks", omni.name() + suffix, {"job": JOB}))


# -- access policy: one object for all of Omni, so it is made only where there is none

_RULES = [
    {"users": ["group/staff"], "clusters": ["x"], "role": "Reader"},
    {"users": ["a@example.org"], "clusters": ["group/prod"], "kubernetes": {"impersonate": {"groups": ["g", "g"]}}},
]


def _policy(user: dict[str, Any], expected: dict[str, Any], **test: Any) -> dict[str, Any]:
    """Return a policy whose one test asks what a user with labels may do on x-prod and x."""
    asked = {"name": "t", "user": user, "cluster": {"name": "x"}, "expected": expected} | test
    return {
        "user_groups": {"staff": {"users": [{"label_selectors": ["a=1", "b"]}]}},
        "cluster_groups": {"prod": {"clusters": [{"match": "x-*"}]}},
        "rules": _RULES,
        "tests": [asked],
    }


def _members(kind: str, *members: dict[str, Any]) -> dict[str, Any]:
    return {f"{kind}_groups": {"g": {f"{kind}s": list(members)}}}


def _grants(user: dict[str, Any], cluster: str, role: str) -> dict[str, Any]:
    """Return a policy that makes a group of users Operators of a group of clusters, and whose test expects a role."""
    members = [{"name": "ann@example.org"}, {"match": "*@ops.example.org"}, {"label_selectors": ["team=ops"]}]
    return {
        "user_groups": {"ops": {"users": members}},
        "cluster_groups": {"prod": {"clusters": [{"match": "prod-*"}]}},
        "rules": [{"users": ["group/ops"], "clusters": ["group/prod"], "role": "Operator"}],
        "tests": [{"name": "t", "user": user, "cluster": {"name": cluster}, "expected": {"role": role}}],
    }


_STAFF = {"name": "s@example.org", "labels": {"a": "1", "b": ""}}
_PROD = {"cluster": {"name": "x-prod"}}
_TWO_GROUPS = {"kubernetes": {"impersonate": {"groups": ["g", "g"]}}}
_ONE_GROUP = {"kubernetes": {"impersonate": {"groups": ["g"]}}}
POLICIES: list[tuple[Any, ...]] = [
    ("a test that passes", _policy(_STAFF, {"role": "Reader"}), OK),
    ("a test that expects no role", _policy(_STAFF, {}), OK),
    ("one of two selectors matches", _policy(_STAFF | {"labels": {"a": "1"}}, {"role": "Reader"}), INVALID),
    ("groups given twice", _policy({"name": "a@example.org"}, _TWO_GROUPS, **_PROD), OK),
    ("groups given twice, expected once", _policy({"name": "a@example.org"}, _ONE_GROUP, **_PROD), INVALID),
    ("a test without a name", _policy(_STAFF, {"role": "Reader"}, name=""), INVALID),
    ("a test without a user", _policy({}, {}), INVALID),
    ("a test without a cluster", _policy(_STAFF, {}, cluster={}), INVALID),
    ("an empty user in a group", _members("user", {}), INVALID),
    ("an empty cluster in a group", _members("cluster", {}), INVALID),
    ("a user by name and pattern", _members("user", {"name": "a", "match": "b*"}), INVALID),
    ("a user by name and labels", _members("user", {"name": "a", "label_selectors": ["b"]}), INVALID),
    ("a cluster by name and pattern", _members("cluster", {"name": "a", "match": "b*"}), INVALID),
    ("a user by name", _grants({"name": "ann@example.org"}, "prod-1", "Operator"), OK),
    ("a user by name, another role expected", _grants({"name": "ann@example.org"}, "prod-1", "Admin"), INVALID),
    ("a user by pattern", _grants({"name": "eve@ops.example.org"}, "prod-1", "Operator"), OK),
    ("a user by labels", _grants({"name": "j@example.org", "labels": {"team": "ops"}}, "prod-1", "Operator"), OK),
    ("a user of no group", _grants({"name": "zoe@example.org"}, "prod-1", "None"), OK),
    ("a user of no group, a role expected", _grants({"name": "zoe@example.org"}, "prod-1", "Operator"), INVALID),
    ("a cluster of no group", _grants({"name": "ann@example.org"}, "lab", "None"), OK),
    ("a pattern that does not close", _members("user", {"match": "[a"}), INVALID),
    ("a pattern with an empty class", _members("user", {"match": "[]a]"}), INVALID),
    ("a cluster's pattern that does not close", _members("cluster", {"match": "x-["}), INVALID),
    ("a pattern that ends in a backslash", _members("user", {"match": "a\\"}), INVALID),
    ("patterns", _members("user", {"match": "[a-z]*@example.org"}, {"match": "?\\*[^x]"}), OK),
]


@pytest.mark.parametrize(
    ("spec", "wanted"),
    cases(
        "machine-auth-detail 4.4 AccessPolicy",
        [
            ("a rule", {"rules": [{"users": ["a@example.org"], "clusters": ["x"], "role": "Reader"}]}, OK),
            (
                "unknown group names",
                {"rules": [{"users": ["group/none"], "clusters": ["group/none"], "role": "Operator"}]},
                OK,
            ),
            ("no role", {"rules": [{"users": ["a@example.org"], "clusters": ["x"]}]}, OK),
            (
                "a role that is none",
                {"rules": [{"users": ["a@example.org"], "clusters": ["x"], "role": "Boss"}]},
                INVALID,
            ),
            (
                "a role that rules do not give",
                {"rules": [{"users": ["a@example.org"], "clusters": ["x"], "role": "Auditor"}]},
                INVALID,
            ),
            (
                "a test that fails",
                {
                    "rules": [],
                    "tests": [
                        {
                            "name": "t",
                            "user": {"name": "a@example.org"},
                            "cluster": {"name": "x"},
                            "expected": {"role": "Admin"},
                        }
                    ],
                },
                INVALID,
            ),
            *POLICIES,
        ],
    ),
)
def test_the_access_policy_is_checked(omni: World, spec: dict[str, Any], wanted: str) -> None:
    if omni.there("AccessPolicies", "access-policy"):
        pytest.skip("this Omni has an access policy already, and it is not this suite's")
    expect(wanted, lambda: omni.admin.create("AccessPolicies", "access-policy", spec))
    if wanted == OK:
        omni.admin.teardown("AccessPolicies", "access-policy")
        omni.until(lambda: _removed(omni), "the policy goes")


def _removed(omni: World) -> bool:
    """Whether the policy is gone; an older Omni does not remove what was torn down, so it is destroyed by name."""
    if omni.gone("AccessPolicies", "access-policy"):
        return True
    outcome(lambda: omni.admin.delete("AccessPolicies", "access-policy", timeout=5))
    return omni.gone("AccessPolicies", "access-policy")


# -- join tokens


@pytest.fixture
def token(omni: World) -> str:
    """A join token of the case's own."""
    made = omni.server.join_token()
    omni.at_end(lambda: omni.admin.delete("JoinTokens", made, timeout=10))
    return made


def test_machine_auth_side_6_a_tokens_id_is_the_secret(token: str) -> None:
    same(True, len(token) in (43, 44))


@pytest.mark.parametrize("verb", cases("machine-auth-side 6 JoinTokens", [("create", "create")]))
def test_a_join_token_is_made_by_its_own_call(omni: World, verb: str) -> None:
    expect(DENIED, lambda: omni.admin.create("JoinTokens", omni.name(), {"name": "x"}))


@pytest.mark.parametrize(
    ("change", "state"),
    cases(
        "machine-auth-detail 4.5 JoinTokenStatus",
        [
            ("active", {}, 1),
            ("revoked", {"revoked": True}, 2),
            ("expired", {"expiration_time": "2020-01-01T00:00:00Z"}, 3),
        ],
    ),
)
def test_a_tokens_state_is_told(omni: World, token: str, change: dict[str, Any], state: int) -> None:
    if change:
        omni.admin.change("JoinTokens", token, **change)

    omni.until(
        lambda: (found := omni.there("JoinTokenStatuses", token)) and found["spec"].get("state") == state,
        f"the state {state}",
    )


def test_machine_auth_detail_4_5_a_token_is_revoked_and_taken_back(omni: World, token: str) -> None:
    expect(OK, lambda: omni.admin.change("JoinTokens", token, revoked=True))
    expect(OK, lambda: omni.admin.change("JoinTokens", token, revoked=False))

    omni.until(lambda: omni.admin.get("JoinTokenStatuses", token)["spec"].get("state") == 1, "active again")


@pytest.mark.parametrize(
    ("name", "wanted"),
    cases(
        "machine-auth-detail 4.5 rename",
        [("empty", "", INVALID), ("17 bytes", "x" * 17, INVALID), ("16 bytes", "x" * 16, OK)],
    ),
)
def test_a_token_is_renamed_within_limits(omni: World, token: str, name: str, wanted: str) -> None:
    expect(wanted, lambda: omni.admin.change("JoinTokens", token, name=name))


@SINCE_1_10
def test_machine_auth_detail_4_5_an_operator_may_revoke_a_token(omni: World, token: str) -> None:
    expect(
        OK, lambda: omni.write("JoinTokens", token, lambda read: read["spec"].update(revoked=True), omni.by("Operator"))
    )


def _default(omni: World) -> str:
    return str(omni.admin.get("DefaultJoinTokens", "default")["spec"]["token_id"])


@pytest.mark.parametrize(
    "verb", cases("machine-auth-side 6 the default token", [("teardown", "teardown"), ("delete", "delete")])
)
def test_the_default_token_stays(omni: World, verb: str) -> None:
    expect(INVALID, lambda: getattr(omni.admin, verb)("JoinTokens", _default(omni)))


@pytest.mark.parametrize(
    "verb", cases("machine-auth-side 6 DefaultJoinTokens", [("teardown", "teardown"), ("delete", "delete")])
)
def test_there_is_always_a_default(omni: World, verb: str) -> None:
    expect(INVALID, lambda: getattr(omni.admin, verb)("DefaultJoinTokens", "default"))


def test_machine_auth_side_6_the_default_must_exist(omni: World) -> None:
    expect(INVALID, lambda: omni.admin.change("DefaultJoinTokens", "default", token_id="no-such-token"))


def test_machine_auth_side_6_another_token_becomes_the_default(omni: World, token: str) -> None:
    before = _default(omni)
    omni.at_end(lambda: omni.admin.change("DefaultJoinTokens", "default", token_id=before))

    expect(OK, lambda: omni.admin.change("DefaultJoinTokens", "default", token_id=token))

    omni.until(lambda: omni.admin.get("JoinTokenStatuses", token)["spec"].get("is_default"), "it is the default")
    omni.admin.change("DefaultJoinTokens", "default", token_id=before)
    omni.until(lambda: not omni.admin.get("JoinTokenStatuses", token)["spec"].get("is_default"), "it is not any more")


@pytest.mark.leaves_traces
def test_access_tsv_a_second_default_is_made_and_never_removed(omni: World) -> None:
    name = omni.name()

    expect(OK, lambda: omni.server.admin.create("DefaultJoinTokens", name))
    expect(EXISTS, lambda: omni.by("Operator").create("DefaultJoinTokens", name))
    expect(INVALID, lambda: omni.admin.teardown("DefaultJoinTokens", name))
    expect(MISSING, lambda: omni.by("Operator").teardown("DefaultJoinTokens", omni.name()))


@pytest.mark.parametrize(
    "type_",
    cases(
        "machine-auth-side 1 read-only by design",
        [
            (t, t)
            for t in (
                "SchematicConfigurations",
                "LoadBalancerConfigs",
                "ExposedServices",
                "ImagePullRequests",
                "ClusterMachines",
            )
        ],
    ),
)
def test_five_of_the_twelve_are_written_by_nobody(omni: World, type_: str) -> None:
    expect(DENIED, lambda: omni.admin.create(type_, omni.name()))
    expect(DENIED, lambda: omni.admin.update(never_made(type_, omni.name())))


def test_machine_auth_side_1_installation_media_are_read_only(omni: World) -> None:
    expect(DENIED, lambda: omni.admin.create("InstallationMedias", omni.name(), namespace="ephemeral"))


@SINCE_1_10
def test_machine_auth_side_1_there_are_no_schematics(omni: World) -> None:
    expect("Unknown", lambda: omni.admin.create("Schematics", omni.name()))
    expect(DENIED, lambda: omni.admin.get("Schematics", omni.name()))
