"""The table of RPCs agrees with the definitions, and repeats only what changes nothing."""

from __future__ import annotations

import json

import pytest

from omni_gateway.omni import rpcs
from omni_gateway.omni.channel import service_config
from omni_gateway.omni.rpcs import Rpc
from omni_gateway.stubs import auth_pb2, machine_pb2, management_pb2, oidc_pb2, resources_pb2

DEFINITIONS = {
    method.full_name[: -len(method.name) - 1] + "/" + method.name: method
    for module in (auth_pb2, machine_pb2, management_pb2, oidc_pb2, resources_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
CHANGE_NOTHING = {
    "Get",
    "List",
    "Omniconfig",
    "ValidateConfig",
    "ValidateJSONSchema",
    "ListServiceAccounts",
    "ListUsers",
    "KubernetesUpgradePreChecks",
    "GetBootAssetURL",
    "GetMachineJoinConfig",
    "Version",
}


@pytest.mark.parametrize("rpc", rpcs.ALL, ids=lambda rpc: rpc.name)
def test_every_rpc_is_defined_with_these_messages(rpc: Rpc) -> None:
    defined = DEFINITIONS[rpc.name]
    assert (defined.input_type, defined.output_type) == (rpc.request.DESCRIPTOR, rpc.response.DESCRIPTOR)


def test_every_rpc_of_the_services_is_there_but_two_that_omni_does_not_implement() -> None:
    missing = set(DEFINITIONS) - {rpc.name for rpc in rpcs.ALL}
    assert missing == {
        "omni.resources.ResourceService/Controllers",
        "omni.resources.ResourceService/DependencyGraph",
    }


def test_only_calls_that_change_nothing_are_tried_again() -> None:
    assert {rpc.name.split("/")[1] for rpc in rpcs.ALL if rpc.repeatable} == CHANGE_NOTHING


def test_grpc_is_told_so_and_only_about_an_unreachable_server() -> None:
    (rule,) = json.loads(service_config())["methodConfig"]
    assert {f"{name['service']}/{name['method']}" for name in rule["name"]} == {rpc.name for rpc in rpcs.REPEATABLE}
    assert rule["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert rule["retryPolicy"]["maxAttempts"] == 4


def test_only_the_three_calls_that_register_a_key_go_unsigned() -> None:
    assert {
        "/auth.AuthService/RegisterPublicKey",
        "/auth.AuthService/AwaitPublicKeyConfirmation",
        "/auth.AuthService/ConfirmPublicKey",
    } == rpcs.UNSIGNED_PATHS
