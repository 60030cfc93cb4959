"""What each method makes of Omni's answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from omni_gateway.omni import OmniClient, errors, rpcs
from omni_gateway.omni.auth import Registration
from omni_gateway.omni.machines import MachineVersion
from omni_gateway.omni.management import (
    BootAsset,
    JoinConfig,
    PreCheck,
    SchemaError,
    Schematic,
    ServiceAccount,
    ServiceAccountKeyInfo,
    User,
)
from omni_gateway.omni.oidc import Authentication
from omni_gateway.omni.rpcs import Rpc
from omni_gateway.stubs import auth_pb2 as auth
from omni_gateway.stubs import common_pb2, machine_pb2, oidc_pb2
from omni_gateway.stubs import management_pb2 as pb
from omni_gateway.stubs import resources_pb2 as resources
from tests.omni_client.scripted_omni import ScriptedOmni

MOMENT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

ANSWERS: list[tuple[Rpc[Any, Any], Message, Callable[[OmniClient], Any], Any]] = [
    (
        rpcs.LIST,
        resources.ListResponse(items=['{"a": 1}', '{"b": 2}'], total=7),
        lambda omni: (omni.resources.list("T").items, omni.resources.list("T").total),
        ([{"a": 1}, {"b": 2}], 7),
    ),
    (rpcs.KUBECONFIG, pb.KubeconfigResponse(kubeconfig=b"k"), lambda omni: omni.management.kubeconfig("c1"), b"k"),
    (rpcs.TALOSCONFIG, pb.TalosconfigResponse(talosconfig=b"t"), lambda omni: omni.management.talosconfig(None), b"t"),
    (rpcs.OMNICONFIG, pb.OmniconfigResponse(omniconfig=b"o"), lambda omni: omni.management.omniconfig(), b"o"),
    (
        rpcs.KUBERNETES_UPGRADE_PRE_CHECKS,
        pb.KubernetesUpgradePreChecksResponse(reason="not yet"),
        lambda omni: omni.management.kubernetes_upgrade_pre_checks("c1", "1.35.0"),
        PreCheck(False, "not yet"),
    ),
    (
        rpcs.LIST_SERVICE_ACCOUNTS,
        pb.ListServiceAccountsResponse(
            service_accounts=[
                {
                    "name": "ci",
                    "role": "Reader",
                    "last_active": "",
                    "pgp_public_keys": [
                        {"id": "f", "armored": "A", "expiration": {"seconds": int(MOMENT.timestamp())}}
                    ],
                }
            ]
        ),
        lambda omni: omni.management.list_service_accounts(),
        [ServiceAccount("ci", "Reader", (ServiceAccountKeyInfo("f", "A", MOMENT, None, None),), "")],
    ),
    (
        rpcs.LIST_USERS,
        pb.ListUsersResponse(users=[{"id": "1", "email": "a@b.c", "role": "Admin", "saml_labels": {"g": "x"}}]),
        lambda omni: omni.management.list_users(),
        [User("1", "a@b.c", "Admin", {"g": "x"}, "")],
    ),
    (
        rpcs.CREATE_SERVICE_ACCOUNT,
        pb.CreateServiceAccountResponse(public_key_id="f"),
        lambda omni: omni.management.create_service_account("ci", "KEY", use_user_role=True),
        "f",
    ),
    (
        rpcs.CREATE_SCHEMATIC,
        pb.CreateSchematicResponse(schematic_id="s", schematic_yml="y", grpc_tunnel_enabled=True),
        lambda omni: omni.management.create_schematic(),
        Schematic("s", True, "y"),
    ),
    (
        rpcs.GET_BOOT_ASSET_URL,
        pb.BootAssetURLResponse(url="u", headers={"h": "v"}, image_factory_host="f", storage_key="k"),
        lambda omni: omni.management.boot_asset_url("s", "1.13.8", "PXE"),
        BootAsset("u", {"h": "v"}, "f", "k"),
    ),
    (
        rpcs.GET_MACHINE_JOIN_CONFIG,
        pb.GetMachineJoinConfigResponse(kernel_args=["a"], config="c"),
        lambda omni: omni.management.machine_join_config(),
        JoinConfig(("a",), "c"),
    ),
    (
        rpcs.VALIDATE_JSON_SCHEMA,
        pb.ValidateJsonSchemaResponse(
            errors=[{"schema_path": "/a", "data_path": "/b", "cause": "c", "errors": [{"cause": "d"}]}]
        ),
        lambda omni: omni.management.validate_json_schema("{}", "{}"),
        [SchemaError("/a", "/b", "c", (SchemaError("", "", "d"),))],
    ),
    (
        rpcs.VERSION,
        machine_pb2.VersionResponse(
            messages=[{"version": {"tag": "v1.13.8", "sha": "abc", "os": "linux", "arch": "amd64"}}]
        ),
        lambda omni: omni.machines.version("m1"),
        MachineVersion("v1.13.8", "abc", "linux", "amd64", ""),
    ),
    (
        rpcs.REGISTER_PUBLIC_KEY,
        auth.RegisterPublicKeyResponse(login_url="https://omni/login", public_key_id="f"),
        lambda omni: omni.auth.register_public_key("KEY", "a@b.c"),
        Registration("f", "https://omni/login"),
    ),
    (
        rpcs.AUTHENTICATE,
        oidc_pb2.AuthenticateResponse(redirect_url="u"),
        lambda omni: omni.oidc.authenticate("r"),
        Authentication("u", ""),
    ),
]


@pytest.mark.parametrize(("rpc", "answer", "call", "expected"), ANSWERS, ids=[case[0].name for case in ANSWERS])
def test_an_answer_becomes_plain_values(
    client: OmniClient,
    scripted: ScriptedOmni,
    rpc: Rpc[Any, Any],
    answer: Message,
    call: Callable[[OmniClient], Any],
    expected: object,
) -> None:
    scripted.answer(rpc, answer)
    assert call(client) == expected


@pytest.mark.parametrize(
    "secret",
    [
        Schematic("s", True, "sesame"),
        JoinConfig(("sesame",), "sesame"),
        BootAsset("u", {"Authorization": "sesame"}, "f", "k"),
        Registration("f", "sesame"),
        Authentication("sesame", "sesame"),
    ],
)
def test_an_answer_that_holds_a_secret_does_not_show_it(secret: object) -> None:
    assert "sesame" not in repr(secret)


def test_what_a_machine_reports_inside_its_answer_is_an_error_too(client: OmniClient, scripted: ScriptedOmni) -> None:
    code = grpc.StatusCode.PERMISSION_DENIED.value[0]
    metadata = common_pb2.Metadata(error="not authorized", status=Status(code=code))
    scripted.answer(rpcs.RESET, machine_pb2.ResetResponse(messages=[machine_pb2.Reset(metadata=metadata)]))
    with pytest.raises(errors.PermissionDenied, match="not authorized"):
        client.machines.reset("m1")


def test_a_machine_that_answers_nothing_has_no_version(client: OmniClient, scripted: ScriptedOmni) -> None:
    with pytest.raises(errors.Unknown):
        client.machines.version("m1")
