"""ManagementService: cluster-side §8, §12; machine-auth-side §2, §4, §6; machine-auth-detail §2.3, §3.4, §4, §6."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pysequoia
import pytest
import yaml
from google.protobuf import duration_pb2, timestamp_pb2

from omni_gateway.omni import key_pairs
from omni_gateway.stubs import management_pb2 as pb
from omni_gateway.stubs import oidc_pb2, oidc_pb2_grpc
from tests.conformance.outcomes import (
    DENIED,
    EXISTS,
    INVALID,
    MISSING,
    OK,
    SINCE_1_10,
    UNAUTHENTICATED,
    UNKNOWN,
    cases,
    expect,
    holds,
    same,
)
from tests.conformance.world import World
from tests.simulator.caller import Caller
from tests.simulator.service_calls import EMPTY, management

HOUR = duration_pb2.Duration(seconds=3600)
NOWHERE = ("context", "nowhere")


def _ask(omni: World, role: str, name: str, request: Any = EMPTY, *metadata: tuple[str, str]) -> Any:
    """Call and, for a stream, read it to its end."""
    answer = management(omni.by(role), name, request, *metadata)
    return list(answer) if hasattr(answer, "__next__") else answer


# -- client configurations (cluster-side §12)

SERVICE = {"service_account": True, "service_account_user": "ci", "service_account_ttl": HOUR}
KUBECONFIGS: list[tuple[Any, ...]] = [
    ("Reader", "Reader", {}, OK),
    ("None", "None", {}, DENIED),
    ("a grant type", "Reader", {"grant_type": "authcode"}, OK),
    ("another grant type", "Reader", {"grant_type": "authcode-keyboard"}, OK),
    ("a grant type that is none", "Reader", {"grant_type": "magic"}, INVALID),
    ("service account", "Operator", SERVICE, OK),
    ("service account by a Reader", "Reader", SERVICE, DENIED),
    ("service account without a user", "Operator", {**SERVICE, "service_account_user": ""}, INVALID),
    ("service account without a time", "Operator", {"service_account": True, "service_account_user": "ci"}, INVALID),
    (
        "service account for 11 years",
        "Operator",
        {**SERVICE, "service_account_ttl": duration_pb2.Duration(seconds=11 * 366 * 86400)},
        INVALID,
    ),
]


@pytest.mark.parametrize(("role", "fields", "wanted"), cases("cluster-side 12, 16 p8 Kubeconfig", KUBECONFIGS))
def test_a_kubeconfig_is_given(omni: World, cluster: str, role: str, fields: dict[str, Any], wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "Kubeconfig", pb.KubeconfigRequest(**fields), ("context", cluster)))


@pytest.mark.parametrize(
    "metadata",
    cases(
        "cluster-side 12, 16 p8 Kubeconfig, existence not checked",
        [("unknown", [NOWHERE]), ("by cluster", [("cluster", "nowhere")]), ("none", [])],
    ),
)
def test_a_kubeconfig_is_given_for_any_name(omni: World, metadata: list[tuple[str, str]]) -> None:
    expect(OK, lambda: _ask(omni, "Reader", "Kubeconfig", pb.KubeconfigRequest(), *metadata))


def test_cluster_side_16_p8_a_service_account_needs_a_cluster_that_exists(omni: World) -> None:
    expect(UNKNOWN, lambda: _ask(omni, "Operator", "Kubeconfig", pb.KubeconfigRequest(**SERVICE), NOWHERE))


@pytest.mark.parametrize(
    ("role", "fields", "wanted"),
    cases("cluster-side 12, 16 p8 Talosconfig", [("Reader", "Reader", {}, OK), ("None", "None", {}, DENIED)]),
)
def test_a_talosconfig_is_given(omni: World, cluster: str, role: str, fields: dict[str, Any], wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "Talosconfig", pb.TalosconfigRequest(**fields), ("context", cluster)))
    if wanted == OK:
        expect(OK, lambda: _ask(omni, role, "Talosconfig", pb.TalosconfigRequest(**fields), NOWHERE))


@pytest.mark.parametrize(
    ("name", "request_"),
    cases(
        "cluster-side 12 break_glass by a Reader",
        [
            ("Kubeconfig", "Kubeconfig", pb.KubeconfigRequest(break_glass=True)),
            ("Talosconfig", "Talosconfig", pb.TalosconfigRequest(break_glass=True)),
        ],
    ),
)
def test_nobody_below_an_admin_breaks_the_glass(omni: World, cluster: str, name: str, request_: Any) -> None:
    expect(DENIED, lambda: _ask(omni, "Reader", name, request_, ("context", cluster)))


@pytest.mark.parametrize(
    "role", cases("cluster-side 12 Omniconfig", [("None", "None"), ("Reader", "Reader"), ("Admin", "Admin")])
)
def test_everybody_gets_an_omniconfig(omni: World, role: str) -> None:
    config = yaml.safe_load(_ask(omni, role, "Omniconfig").omniconfig)
    holds("contexts" in config and "context" in config, "contexts, one of them chosen", sorted(config))


def test_cluster_side_12_a_kubeconfig_logs_in_by_oidc_or_has_a_token(omni: World, cluster: str) -> None:
    login = yaml.safe_load(_ask(omni, "Reader", "Kubeconfig", pb.KubeconfigRequest(), ("context", cluster)).kubeconfig)
    token = yaml.safe_load(
        _ask(omni, "Operator", "Kubeconfig", pb.KubeconfigRequest(**SERVICE), ("context", cluster)).kubeconfig
    )

    holds("oidc-login" in login["users"][0]["user"]["exec"]["args"], "kubectl oidc-login", login["users"])
    same(3, len(token["users"][0]["user"]["token"].split(".")))


# -- pre-checks and manifests (cluster-side §8)


@pytest.mark.parametrize(
    ("role", "metadata", "wanted"),
    cases(
        "cluster-side 8, 16 p8 KubernetesUpgradePreChecks",
        [
            ("no status yet", "Operator", "{c}", UNKNOWN),
            ("unknown cluster", "Operator", "nowhere", UNKNOWN),
            ("no cluster", "Operator", None, UNKNOWN),
            ("Reader", "Reader", "{c}", DENIED),
        ],
    ),
)
def test_pre_checks_need_a_status(omni: World, cluster: str, role: str, metadata: str | None, wanted: str) -> None:
    request = pb.KubernetesUpgradePreChecksRequest(new_version=omni.versions.newest_kubernetes)
    sent = [("context", metadata.format(c=cluster))] if metadata else []
    expect(wanted, lambda: _ask(omni, role, "KubernetesUpgradePreChecks", request, *sent))


def test_cluster_side_8_manifests_are_not_synced_without_a_kubeconfig(omni: World, cluster: str) -> None:
    expect(
        UNKNOWN,
        lambda: _ask(
            omni, "Operator", "KubernetesSyncManifests", pb.KubernetesSyncManifestRequest(), ("context", cluster)
        ),
    )


# -- service accounts


def _public(name: str, life: timedelta = key_pairs.DEFAULT_LIFE) -> str:
    return key_pairs.make(name, f"{name}@example.org", life).public


def _private(name: str) -> str:
    return str(
        pysequoia.Tsk.generate(
            user_id=f"{name} <{name}@example.org>", validity_seconds=86400, profile=pysequoia.Profile.RFC4880
        )
    )


def _without_mail(name: str) -> str:
    tsk = pysequoia.Tsk.generate(user_id=name, validity_seconds=86400, profile=pysequoia.Profile.RFC4880)
    return str(tsk.extract_certificate())


def _lasting(name: str) -> str:
    tsk = pysequoia.Tsk.generate(user_id=f"{name} <{name}@example.org>", profile=pysequoia.Profile.RFC4880)
    return str(tsk.extract_certificate())


ACCOUNTS: list[tuple[Any, ...]] = [
    ("Reader", {"role": "Reader"}, OK),
    ("None", {"role": "None"}, OK),
    ("empty role", {"role": ""}, UNKNOWN),
    ("a role that is none", {"role": "Foo"}, UNKNOWN),
    ("a role in lower case", {"role": "admin"}, UNKNOWN),
    ("role InfraProvider for a plain name", {"role": "InfraProvider"}, UNKNOWN),
    ("an infra provider's name, role Reader", {"role": "Reader", "prefix": "infra-provider:"}, UNKNOWN),
    ("an infra provider", {"role": "InfraProvider", "prefix": "infra-provider:"}, OK),
    ("upper case", {"role": "Reader", "suffix": "A"}, INVALID),
    ("no key", {"role": "Reader", "key": lambda name: ""}, UNKNOWN),
    ("garbage", {"role": "Reader", "key": lambda name: "garbage"}, UNKNOWN),
    ("a private key", {"role": "Reader", "key": _private}, UNKNOWN),
    ("a key without e-mail", {"role": "Reader", "key": _without_mail}, UNKNOWN),
    ("a key of 366 days", {"role": "Reader", "key": lambda name: _public(name, timedelta(days=366))}, UNKNOWN),
    ("a key of 365 days", {"role": "Reader", "key": lambda name: _public(name, timedelta(days=365))}, OK),
    ("a key without an end", {"role": "Reader", "key": _lasting}, UNKNOWN),
]


def _create(omni: World, name: str, key: str, role: str = "Reader", by: str = "admin") -> None:
    request = pb.CreateServiceAccountRequest(name=name, role=role, armored_pgp_public_key=key)
    omni.at_end(lambda: management(omni.admin, "DestroyServiceAccount", pb.DestroyServiceAccountRequest(name=name)))
    management(omni.by(by), "CreateServiceAccount", request)


@pytest.mark.parametrize(
    ("how", "wanted"), cases("machine-auth-side 6, machine-auth-detail 4.2, 8 CreateServiceAccount", ACCOUNTS)
)
def test_a_service_account_is_made(omni: World, how: dict[str, Any], wanted: str) -> None:
    name = omni.name()
    key = how.get("key", _public)(name)
    expect(wanted, lambda: _create(omni, how.get("prefix", "") + name + how.get("suffix", ""), key, how["role"]))


def test_machine_auth_detail_8_a_name_or_a_key_again(omni: World) -> None:
    name = omni.name()
    key = _public(name)
    _create(omni, name, key)

    expect(EXISTS, lambda: _create(omni, name, _public(name)))
    expect(EXISTS, lambda: _create(omni, omni.name(), key))


@pytest.mark.parametrize(
    "role", cases("machine-auth-side 6 service accounts by", [(r, r) for r in ("Operator", "Reader", "None")])
)
def test_service_accounts_are_the_admins(omni: World, role: str) -> None:
    name = omni.name()
    expect(DENIED, lambda: _create(omni, name, _public(name), by=role))
    expect(DENIED, lambda: _ask(omni, role, "ListServiceAccounts"))
    expect(DENIED, lambda: _ask(omni, role, "DestroyServiceAccount", pb.DestroyServiceAccountRequest(name=name)))
    expect(DENIED, lambda: _ask(omni, role, "RenewServiceAccount", pb.RenewServiceAccountRequest(name=name)))


def test_machine_auth_detail_4_2_what_an_account_is_made_of(omni: World) -> None:
    name = omni.name()
    _create(omni, name, _public(name), "Operator")
    full = f"{name}@serviceaccount.omni.sidero.dev"

    identity = omni.admin.get("Identities", full)
    user = omni.admin.get("Users", identity["spec"]["user_id"])

    same("Operator", user["spec"]["role"])
    same(identity["spec"]["user_id"], identity["metadata"]["labels"].get("user-id"))
    holds(
        "type-service-account" in identity["metadata"]["labels"], "the label type-service-account", identity["metadata"]
    )
    listed = {account.name: account for account in _ask(omni, "admin", "ListServiceAccounts").service_accounts}
    same(("Operator", 1), (listed[name].role, len(listed[name].pgp_public_keys)))


@pytest.mark.parametrize(
    ("what", "wanted"),
    cases(
        "machine-auth-detail 8 RenewServiceAccount",
        [
            ("missing account", "missing", UNKNOWN),
            ("same key", "same", UNKNOWN),
            ("bad key", "bad", UNKNOWN),
            ("a new key", "new", OK),
        ],
    ),
)
def test_an_account_is_renewed(omni: World, what: str, wanted: str) -> None:
    name = omni.name()
    key = _public(name)
    _create(omni, name, key)
    given = {
        "missing": (omni.name(), _public(name)),
        "same": (name, key),
        "bad": (name, "garbage"),
        "new": (name, _public(name)),
    }
    request = pb.RenewServiceAccountRequest(name=given[what][0], armored_pgp_public_key=given[what][1])

    expect(wanted, lambda: _ask(omni, "admin", "RenewServiceAccount", request))


def test_machine_auth_detail_4_2_after_a_renewal_both_keys_work(omni: World) -> None:
    name, key = omni.server.new_account("Reader")
    pair = key_pairs.make(name, f"{name}@example.org")

    _ask(
        omni,
        "admin",
        "RenewServiceAccount",
        pb.RenewServiceAccountRequest(name=name, armored_pgp_public_key=pair.public),
    )

    for value in (key, pair.value):
        expect(OK, lambda: Caller(omni.server.channel, value).list("Clusters"))  # noqa: B023


@pytest.mark.parametrize(
    "how",
    cases("machine-auth-detail 4.2, 8 DestroyServiceAccount", [("missing", "missing"), ("by its full id", "full")]),
)
def test_a_missing_account_is_missing(omni: World, how: str) -> None:
    name = omni.name()
    _create(omni, name, _public(name))
    given = {"missing": omni.name(), "full": f"{name}@serviceaccount.omni.sidero.dev"}[how]

    expect(MISSING, lambda: _ask(omni, "admin", "DestroyServiceAccount", pb.DestroyServiceAccountRequest(name=given)))


def test_machine_auth_side_6_nobody_destroys_oneself(omni: World) -> None:
    name, key = omni.server.new_account("Admin")
    caller = Caller(omni.server.channel, key)

    expect(INVALID, lambda: management(caller, "DestroyServiceAccount", pb.DestroyServiceAccountRequest(name=name)))


def test_machine_auth_detail_4_2_an_account_is_lowered_at_once_by_update_user(omni: World) -> None:
    name, key = omni.server.new_account("Operator")
    caller = Caller(omni.server.channel, key)
    full = f"{name}@serviceaccount.omni.sidero.dev"

    _ask(omni, "admin", "UpdateUser", pb.UpdateUserRequest(email=full, role="Reader"))
    expect(DENIED, lambda: caller.create("MachineLabels", omni.name()))

    _ask(omni, "admin", "UpdateUser", pb.UpdateUserRequest(email=full, role="Admin"))
    expect(DENIED, lambda: caller.list("Users"))


# -- users


def _user(omni: World, email: str, role: str = "Reader") -> None:
    omni.at_end(lambda: management(omni.admin, "DestroyUser", pb.DestroyUserRequest(email=email)))
    _ask(omni, "admin", "CreateUser", pb.CreateUserRequest(email=email, role=role))


USERS: list[tuple[Any, ...]] = [
    ("good", "{}@example.org", "Reader", OK),
    ("bad e-mail", "{}", "Reader", INVALID),
    ("bad role", "{}@example.org", "Boss", UNKNOWN),
    ("role InfraProvider", "{}@example.org", "InfraProvider", OK),
]


@pytest.mark.parametrize(("email", "role", "wanted"), cases("machine-auth-detail 4.3, 8 CreateUser", USERS))
def test_a_user_is_made(omni: World, email: str, role: str, wanted: str) -> None:
    expect(wanted, lambda: _user(omni, email.format(omni.name()), role))


def test_machine_auth_detail_4_3_existing_missing_and_lower_case(omni: World) -> None:
    name = omni.name()
    _user(omni, f"{name.upper()}@example.org")

    expect(UNKNOWN, lambda: _user(omni, f"{name}@example.org"))
    listed = [user.email for user in _ask(omni, "admin", "ListUsers").users]
    holds(f"{name}@example.org" in listed, "the address in lower case", listed)


@pytest.mark.parametrize(
    "name", cases("machine-auth-side 6 missing user", [("update", "UpdateUser"), ("destroy", "DestroyUser")])
)
def test_a_missing_user_is_missing(omni: World, name: str) -> None:
    requests = {
        "UpdateUser": pb.UpdateUserRequest(email=f"{omni.name()}@example.org", role="Reader"),
        "DestroyUser": pb.DestroyUserRequest(email=f"{omni.name()}@example.org"),
    }
    expect(MISSING, lambda: _ask(omni, "admin", name, requests[name]))


def test_machine_auth_detail_4_3_a_service_account_is_no_user(omni: World) -> None:
    name, _ = omni.server.new_account("Reader")
    request = pb.DestroyUserRequest(email=f"{name}@serviceaccount.omni.sidero.dev")

    expect(INVALID, lambda: _ask(omni, "admin", "DestroyUser", request))


def test_machine_auth_side_6_ones_own_role_stays(omni: World) -> None:
    name, key = omni.server.new_account("Admin")
    request = pb.UpdateUserRequest(email=f"{name}@serviceaccount.omni.sidero.dev", role="Reader")

    expect(INVALID, lambda: management(Caller(omni.server.channel, key), "UpdateUser", request))


@pytest.mark.parametrize(
    "type_", cases("machine-auth-side 6 direct writes", [("Users", "Users"), ("Identities", "Identities")])
)
def test_users_are_not_written_directly(omni: World, type_: str) -> None:
    expect(DENIED, lambda: omni.admin.create(type_, omni.name()))


# -- join tokens


@pytest.mark.parametrize(
    ("role", "name", "wanted"),
    cases(
        "machine-auth-side 6, machine-auth-detail 4.5 CreateJoinToken",
        [
            ("empty name", "admin", "", INVALID),
            ("17 bytes", "admin", "x" * 17, INVALID),
            ("16 bytes", "admin", "x" * 16, OK),
            ("by an Operator", "Operator", "x", DENIED),
            ("by a Reader", "Reader", "x", DENIED),
        ],
    ),
)
def test_a_join_token_is_made(omni: World, role: str, name: str, wanted: str) -> None:
    def call() -> None:
        token = _ask(omni, role, "CreateJoinToken", pb.CreateJoinTokenRequest(name=name)).id
        omni.at_end(lambda: omni.admin.delete("JoinTokens", token, timeout=10))

    expect(wanted, call)


def test_machine_auth_detail_4_5_a_token_may_have_expired_before_it_is_made(omni: World) -> None:
    request = pb.CreateJoinTokenRequest(name="conf-old", expiration_time=timestamp_pb2.Timestamp(seconds=1_600_000_000))
    token = _ask(omni, "admin", "CreateJoinToken", request).id
    omni.at_end(lambda: omni.admin.delete("JoinTokens", token, timeout=10))

    omni.until(
        lambda: (found := omni.there("JoinTokenStatuses", token)) and found["spec"].get("state") == 3,
        "state EXPIRED (3)",
    )


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases("machine-auth-side 4 GetMachineJoinConfig", [("Reader", "Reader", OK), ("None", "None", DENIED, SINCE_1_10)]),
)
def test_readers_learn_how_machines_join(omni: World, role: str, wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "GetMachineJoinConfig", pb.GetMachineJoinConfigRequest()))
    if wanted == OK:
        answer = _ask(omni, role, "GetMachineJoinConfig", pb.GetMachineJoinConfigRequest())
        holds(any("siderolink.api=" in arg for arg in answer.kernel_args), "siderolink.api=", list(answer.kernel_args))
        holds(answer.config, "a configuration", answer.config)


def test_machine_auth_detail_2_3_an_unknown_token_is_accepted_there(omni: World) -> None:
    expect(OK, lambda: _ask(omni, "Reader", "GetMachineJoinConfig", pb.GetMachineJoinConfigRequest(join_token="none")))


def test_machine_auth_detail_2_3_a_machine_without_a_token_is_missing(omni: World) -> None:
    expect(MISSING, lambda: _ask(omni, "admin", "ResetNodeUniqueToken", pb.ResetNodeUniqueTokenRequest(id=omni.name())))


# -- images

SCHEMATICS: list[tuple[Any, ...]] = [
    ("empty", "Operator", {}, OK),
    ("by a Reader", "Reader", {}, DENIED),
    ("extensions of any name", "Operator", {"extensions": ["siderolabs/unicorn"]}, OK),
    ("a bad version", "Operator", {"talos_version": "new"}, INVALID),
    ("unknown media", "Operator", {"media_id": "no-such"}, UNKNOWN),
    ("labels that are none", "Operator", {"meta_values": {12: "a: b"}}, INVALID),
    ("labels", "Operator", {"meta_values": {12: "machineLabels:\n  a: b\n"}}, OK),
    ("labels beside other keys", "Operator", {"meta_values": {12: "machineLabels: {a: b}\nc: d\n"}}, OK),
    ("labels that are a list", "Operator", {"meta_values": {12: "machineLabels: [a]\n"}}, INVALID),
    ("labels under their old name", "Operator", {"meta_values": {12: "machineInitialLabels: {a: b}\n"}}, INVALID),
    ("a meta key for the network", "Operator", {"meta_values": {10: "{}"}}, OK),
    ("a meta key of Talos's own", "Operator", {"meta_values": {6: "x"}}, INVALID),
    ("a meta key for anybody's use", "Operator", {"meta_values": {13: "x"}}, OK),
    ("a meta key that there is not", "Operator", {"meta_values": {99: "x"}}, INVALID),
    ("options of an overlay", "Operator", {"overlay": {"name": "a", "image": "b", "options": "c: d"}}, OK),
    ("options that are no mapping", "Operator", {"overlay": {"name": "a", "image": "b", "options": "[c]"}}, UNKNOWN),
]


@SINCE_1_10
@pytest.mark.parametrize(("role", "fields", "wanted"), cases("machine-auth-detail 3.4 CreateSchematic", SCHEMATICS))
def test_a_schematic_is_made(omni: World, role: str, fields: dict[str, Any], wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "CreateSchematic", pb.CreateSchematicRequest(**fields)))


@SINCE_1_10
def test_machine_auth_side_4_the_same_input_has_the_same_id_and_the_token_in_clear(omni: World) -> None:
    request = pb.CreateSchematicRequest(extra_kernel_args=["a=b"])
    one, other = (_ask(omni, "Operator", "CreateSchematic", request) for _ in range(2))

    same(one.schematic_id, other.schematic_id)
    holds("jointoken=" in one.schematic_yml, "the join token", "none")


_OVERLAY = {"name": "rpi_generic", "image": "siderolabs/sbc-raspberrypi"}
CONTENTS: list[tuple[Any, ...]] = [
    ("an overlay", {"overlay": _OVERLAY}),
    ("an overlay's options", {"overlay": _OVERLAY | {"options": "configTxt: x=1\n"}}),
    ("other options", {"overlay": _OVERLAY | {"options": "configTxt: x=2\n"}}),
    ("kernel arguments", {"extra_kernel_args": ["a=b"]}),
    ("kernel arguments in another order", {"extra_kernel_args": ["a=b", "console=tty0"]}),
    ("extensions", {"extensions": ["siderolabs/iscsi-tools"]}),
    ("meta", {"meta_values": {13: "x"}}),
    ("a bootloader", {"bootloader": pb.BOOT_SD}),
    ("a tunnel", {"siderolink_grpc_tunnel_mode": pb.CreateSchematicRequest.ENABLED}),
    ("an embedded configuration", {"embedded_machine_config": "machine: {}\n"}, SINCE_1_10),
]


@pytest.mark.parametrize("fields", cases("machine-auth-detail 3.4 CreateSchematic, nothing is lost", CONTENTS))
def test_what_is_asked_for_is_part_of_a_schematics_id(omni: World, fields: dict[str, Any]) -> None:
    request = pb.CreateSchematicRequest(**fields)
    made = _ask(omni, "admin", "CreateSchematic", request)
    plain = _ask(omni, "admin", "CreateSchematic", pb.CreateSchematicRequest())

    holds(made.schematic_id != plain.schematic_id, "another id than that of a plain schematic", made.schematic_id)
    same(made.schematic_id, _ask(omni, "admin", "CreateSchematic", request).schematic_id)


def test_machine_auth_detail_3_4_the_id_is_the_hash_of_the_text(omni: World) -> None:
    options = "z: 1\na: [x, {c: d}]\nl: |\n  one\n  two\n"
    request = pb.CreateSchematicRequest(
        extensions=["siderolabs/zfs", "siderolabs/drbd", "siderolabs/zfs"],
        extra_kernel_args=["a: b", "yes", "-c", 'x="y"'],
        meta_values={12: "machineLabels:\n  a: b\n", 13: "12", 14: ""},
        bootloader=pb.BOOT_DUAL,
        overlay=_OVERLAY | {"options": options},
    )
    made = _ask(omni, "admin", "CreateSchematic", request)

    lines = made.schematic_yml.splitlines()
    same(hashlib.sha256(made.schematic_yml.encode()).hexdigest(), made.schematic_id)
    same(
        [
            "overlay:",
            "    image: siderolabs/sbc-raspberrypi",
            "    name: rpi_generic",
            "    options:",
            "        a:",
            "            - x",
            "            - c: d",
            "        l: |",
            "            one",
            "            two",
            "        z: 1",
            "customization:",
            "    extraKernelArgs:",
        ],
        lines[:13],
    )
    same(
        [
            "        - 'a: b'",
            '        - "yes"',
            "        - -c",
            '        - x="y"',
            "    meta:",
            "        - key: 14",
            '          value: ""',
            "        - key: 13",
            '          value: "12"',
            "        - key: 12",
            "          value: |",
            "            machineLabels:",
            "              a: b",
            "    systemExtensions:",
            "        officialExtensions:",
            "            - siderolabs/drbd",
            "            - siderolabs/zfs",
            "    bootloader: dual-boot",
        ],
        lines[16:],
    )


@SINCE_1_10
def test_machine_auth_detail_3_4_boards_before_talos_1_7_have_no_overlay(omni: World) -> None:
    old = pb.CreateSchematicRequest(overlay=_OVERLAY, talos_version="1.6.0")
    made = _ask(omni, "admin", "CreateSchematic", old)

    same(False, "overlay" in made.schematic_yml)


RAW: list[tuple[Any, ...]] = [
    ("good", "Operator", b"customization: {}\n", OK),
    ("an empty mapping", "Operator", b"{}", OK),
    ("nothing", "Operator", b"", UNKNOWN),
    ("a list", "Operator", b"[]", UNKNOWN),
    ("bad YAML", "Operator", b"a: [", UNKNOWN),
    ("an unknown key", "Operator", b"customisation: {}\n", UNKNOWN),
    ("a key twice", "Operator", b"customization: {}\ncustomization: {}\n", UNKNOWN),
    ("text for a list", "Operator", b"customization: {extraKernelArgs: a}\n", UNKNOWN),
    ("a bootloader that there is not", "Operator", b"customization: {bootloader: lilo}\n", UNKNOWN),
    ("a meta key beyond a byte", "Operator", b"customization: {meta: [{key: 256, value: a}]}\n", UNKNOWN),
    ("an owner", "Operator", b"owner: somebody\n", UNKNOWN),
    ("by a Reader", "Reader", b"customization: {}\n", DENIED),
]

PUBLISHED: list[tuple[Any, ...]] = [
    ("empty", b"{}", "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"),
    (
        "empty parts",
        b'customization: {"extraKernelArgs": [], "systemExtensions": {}}',
        "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba",
    ),
    (
        "arguments",
        b'{"customization": {"extraKernelArgs": ["noapic", "nolapic"], "systemExtensions": {}}}',
        "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c",
    ),
    (
        "meta",
        b'{"customization": {"meta": [{"key": 10, "value": "foo"}]}}',
        "d308a2a5ee2277bed5fbaa104fcbc8d59122abfa737df987a95b4ca763459a7f",
    ),
    (
        "an overlay",
        b'{"overlay": {"name": "rpi_generic", "image": "siderolabs/sbc-raspberrypi"}}',
        "ee21ef4a5ef808a9b7484cc0dda0f25075021691c8c09a276591eedb638ea1f9",
    ),
    (
        "secure boot",
        b"customization:\n  secureboot:\n    includeWellKnownCertificates: true\n",
        "fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6",
    ),
    (
        "a disk's sectors",
        b"customization: {diskImage: {sectorSize: 4096}}",
        "92833e9ddd9bb9e11b2464fa5525429f01866306d52ebd882ee08d7918f6d1ea",
    ),
]


@SINCE_1_10
@pytest.mark.parametrize(("raw", "id_"), cases("the image factory's own ids", PUBLISHED))
def test_a_schematic_has_the_id_that_the_public_image_factory_gives_it(omni: World, raw: bytes, id_: str) -> None:
    request = pb.CreateSchematicFromRawRequest(raw_schematic=raw)
    same(id_, _ask(omni, "Operator", "CreateSchematicFromRaw", request).schematic_id)


@SINCE_1_10
@pytest.mark.parametrize(("role", "raw", "wanted"), cases("machine-auth-detail 3.4 CreateSchematicFromRaw", RAW))
def test_a_schematic_is_made_from_its_text(omni: World, role: str, raw: bytes, wanted: str) -> None:
    expect(
        wanted, lambda: _ask(omni, role, "CreateSchematicFromRaw", pb.CreateSchematicFromRawRequest(raw_schematic=raw))
    )


ASSETS: list[tuple[Any, ...]] = [
    ("ISO", "Operator", 2, OK),
    ("disk", "Operator", 3, OK),
    ("PXE", "Operator", 1, OK),
    ("no kind", "Operator", 0, INVALID),
    ("by a Reader", "Reader", 2, DENIED),
]


@SINCE_1_10
@pytest.mark.parametrize(("role", "kind", "wanted"), cases("machine-auth-detail 3.4 GetBootAssetURL", ASSETS))
def test_a_boot_asset_has_a_url(omni: World, role: str, kind: int, wanted: str) -> None:
    request = pb.BootAssetURLRequest(
        talos_version=omni.versions.talos,
        schematic_id="0" * 64,
        boot_asset_kind=kind,
        platform="metal",
        architecture="amd64",
    )
    expect(wanted, lambda: _ask(omni, role, "GetBootAssetURL", request))


# -- the audit log, the support bundle


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "machine-auth-detail 6 ReadAuditLog",
        [
            ("Admin", "Admin", OK),
            ("Auditor", "Auditor", OK),
            ("Operator", "Operator", DENIED),
            ("Reader", "Reader", DENIED),
        ],
    ),
)
def test_admins_and_auditors_read_the_audit_log(omni: World, role: str, wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "ReadAuditLog", pb.ReadAuditLogRequest()))


@pytest.mark.parametrize(
    "fields",
    cases(
        "machine-auth-detail 6 ReadAuditLog refused",
        [
            ("bad start", {"start_time": "yesterday"}),
            ("bad end", {"end_time": "23.11.2026"}),
            ("negative start_ts_ms", {"start_ts_ms": -1}, SINCE_1_10),
            ("from_id without follow", {"from_id": 7}, SINCE_1_10),
            ("follow with a filter", {"follow": True, "search": "x"}, SINCE_1_10),
        ],
    ),
)
def test_a_bad_question_to_the_audit_log_is_invalid(omni: World, fields: dict[str, Any]) -> None:
    expect(INVALID, lambda: _ask(omni, "Admin", "ReadAuditLog", pb.ReadAuditLogRequest(**fields)))


def _entries(omni: World, **fields: Any) -> list[dict[str, Any]]:
    answers = _ask(omni, "Admin", "ReadAuditLog", pb.ReadAuditLogRequest(**fields))
    return [json.loads(line) for answer in answers for line in answer.audit_log.splitlines() if line]


def test_machine_auth_detail_6_a_write_is_in_the_audit_log(omni: World) -> None:
    name = omni.cluster()

    found = omni.until(
        lambda: [entry for entry in _entries(omni) if entry.get("resource_id") == name or name in json.dumps(entry)],
        "an entry",
    )

    same("create", found[0]["event_type"])
    holds({"event_ts", "event_data"} <= found[0].keys(), "event_ts and event_data", sorted(found[0]))


@SINCE_1_10
def test_machine_auth_detail_6_each_read_is_itself_audited(omni: World) -> None:
    _entries(omni)

    omni.until(lambda: any(entry["event_type"] == "audit_log_access" for entry in _entries(omni)), "audit_log_access")


@SINCE_1_10
def test_machine_auth_detail_6_following_begins_with_an_empty_message_and_an_id(omni: World) -> None:
    stream = management(omni.by("Admin"), "ReadAuditLog", pb.ReadAuditLogRequest(follow=True))
    try:
        first = next(stream)
        same(b"", first.audit_log)
        name = omni.cluster()
        while name not in (entry := next(stream)).audit_log.decode():
            pass
        holds(entry.id > first.id, "ids that rise", (first.id, entry.id))
    finally:
        stream.cancel()


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "cluster-side 12 GetSupportBundle",
        [("Operator", "Operator", OK), ("Admin", "Admin", OK), ("Reader", "Reader", DENIED)],
    ),
)
def test_a_support_bundle_is_for_operators(omni: World, cluster: str, role: str, wanted: str) -> None:
    expect(wanted, lambda: _ask(omni, role, "GetSupportBundle", pb.GetSupportBundleRequest(cluster=cluster)))


@pytest.mark.parametrize(
    "name", cases("machine-auth-detail 6 GetSupportBundle of no cluster", [("unknown", "nowhere"), ("empty", "")])
)
def test_a_bundle_of_no_cluster_is_a_zip_all_the_same(omni: World, name: str) -> None:
    answers = _ask(omni, "Admin", "GetSupportBundle", pb.GetSupportBundleRequest(cluster=name))
    data = b"".join(answer.bundle_data for answer in answers)
    holds(zipfile.is_zipfile(io.BytesIO(data)), "a zip", len(data))


# -- machines (of an id that there is not)

NONE = "00000000-0000-0000-0000-00000000c0de"
MACHINES: list[tuple[Any, ...]] = [
    ("MachinePowerOff empty", "MachinePowerOff", "Operator", {}, INVALID),
    ("MachinePowerOff empty, None", "MachinePowerOff", "None", {}, INVALID),
    ("MachinePowerOff as Reader", "MachinePowerOff", "Reader", {"machine_id": NONE}, DENIED),
    ("MachinePowerOff unknown", "MachinePowerOff", "Operator", {"machine_id": NONE}, MISSING),
    ("MachinePowerOn empty", "MachinePowerOn", "Operator", {}, INVALID),
    ("MachinePowerOn as Reader", "MachinePowerOn", "Reader", {"machine_id": NONE}, DENIED),
    ("MachinePowerOn unknown", "MachinePowerOn", "Operator", {"machine_id": NONE}, MISSING),
    ("MaintenanceUpgrade empty", "MaintenanceUpgrade", "Operator", {}, INVALID),
    ("MaintenanceUpgrade without a version", "MaintenanceUpgrade", "Operator", {"machine_id": NONE}, INVALID),
    (
        "MaintenanceUpgrade unknown",
        "MaintenanceUpgrade",
        "Operator",
        {"machine_id": NONE, "version": "1.13.7"},
        MISSING,
    ),
    ("MaintenanceUpgrade as Reader", "MaintenanceUpgrade", "Reader", {"machine_id": NONE, "version": "1.13.7"}, DENIED),
    ("MaintenanceLifecycle as Reader, empty", "MaintenanceLifecycle", "Reader", {}, DENIED),
    ("MaintenanceLifecycle empty", "MaintenanceLifecycle", "Operator", {}, INVALID),
    (
        "MaintenanceLifecycle install without a disk",
        "MaintenanceLifecycle",
        "Operator",
        {"machine_id": NONE, "operation": 1},
        INVALID,
    ),
    (
        "MaintenanceLifecycle upgrade with a disk",
        "MaintenanceLifecycle",
        "Operator",
        {"machine_id": NONE, "operation": 2, "version": "1.13.7", "disk": "/dev/sda"},
        INVALID,
    ),
    (
        "MaintenanceLifecycle upgrade without a version",
        "MaintenanceLifecycle",
        "Operator",
        {"machine_id": NONE, "operation": 2},
        INVALID,
    ),
    (
        "MaintenanceLifecycle unknown",
        "MaintenanceLifecycle",
        "Operator",
        {"machine_id": NONE, "operation": 2, "version": "1.13.7"},
        MISSING,
    ),
    ("MachineLogs empty", "MachineLogs", "Reader", {}, INVALID),
    ("MachineLogs unknown", "MachineLogs", "Reader", {"machine_id": NONE, "tail_lines": -1}, MISSING),
    ("MachineLogs as None", "MachineLogs", "None", {"machine_id": NONE}, DENIED),
]


@SINCE_1_10
@pytest.mark.parametrize(
    ("name", "role", "fields", "wanted"), cases("machine-auth-side 2, machine-auth-detail 2.3", MACHINES)
)
def test_what_is_asked_of_a_machine(omni: World, name: str, role: str, fields: dict[str, Any], wanted: str) -> None:
    request = getattr(pb, f"{name}Request")(**fields)
    expect(wanted, lambda: _ask(omni, role, name, request))


# -- Omni as an identity provider


@pytest.mark.parametrize(
    ("role", "wanted"),
    cases(
        "machine-auth-detail 4.6 OIDC Authenticate of an unknown id",
        [("Admin", "admin", DENIED), ("Reader", "Reader", DENIED), ("unsigned", "anonymous", UNAUTHENTICATED)],
    ),
)
def test_no_login_is_under_way(omni: World, role: str, wanted: str) -> None:
    caller = omni.by(role)
    metadata = caller.metadata("Authenticate", service="oidc.OIDCService")
    stub = oidc_pb2_grpc.OIDCServiceStub(omni.server.channel)
    request = oidc_pb2.AuthenticateRequest(auth_request_id="none")

    expect(wanted, lambda: stub.Authenticate(request, metadata=metadata, timeout=20))
