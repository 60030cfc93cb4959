"""The table of RPCs that the client makes: path, message types, and whether a failed attempt may be repeated.

``repeatable`` calls change nothing in Omni, so gRPC itself retries them when the server was unreachable. ``Kubeconfig``
and ``Talosconfig`` are not repeatable, for some of their options issue a credential. They and the streams change
nothing either, so a read-only client may make them: ``reads``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from omni_gateway.stubs import auth_pb2 as auth
from omni_gateway.stubs import common_pb2 as common
from omni_gateway.stubs import machine_pb2 as machine
from omni_gateway.stubs import management_pb2 as management
from omni_gateway.stubs import oidc_pb2 as oidc
from omni_gateway.stubs import resources_pb2 as resources

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


@dataclass(frozen=True, slots=True)
class Rpc(Generic[RequestT, ResponseT]):
    """One RPC; ``name`` is ``package.Service/Method``, and gRPC's path is the same behind a slash."""

    name: str
    request: type[RequestT]
    response: type[ResponseT]
    repeatable: bool = False
    signed: bool = True
    reads: bool = False

    @property
    def only_reads(self) -> bool:
        """Return whether the call changes nothing in Omni."""
        return self.reads or self.repeatable

    @property
    def path(self) -> str:
        """Return gRPC's path, which is also what is signed."""
        return f"/{self.name}"


_RESOURCES = "omni.resources.ResourceService"
GET = Rpc(f"{_RESOURCES}/Get", resources.GetRequest, resources.GetResponse, repeatable=True)
LIST = Rpc(f"{_RESOURCES}/List", resources.ListRequest, resources.ListResponse, repeatable=True)
CREATE = Rpc(f"{_RESOURCES}/Create", resources.CreateRequest, resources.CreateResponse)
UPDATE = Rpc(f"{_RESOURCES}/Update", resources.UpdateRequest, resources.UpdateResponse)
DELETE = Rpc(f"{_RESOURCES}/Delete", resources.DeleteRequest, resources.DeleteResponse)
TEARDOWN = Rpc(f"{_RESOURCES}/Teardown", resources.DeleteRequest, resources.DeleteResponse)
WATCH = Rpc(f"{_RESOURCES}/Watch", resources.WatchRequest, resources.WatchResponse, reads=True)

_MANAGEMENT = "management.ManagementService"
KUBECONFIG = Rpc(f"{_MANAGEMENT}/Kubeconfig", management.KubeconfigRequest, management.KubeconfigResponse, reads=True)
TALOSCONFIG = Rpc(
    f"{_MANAGEMENT}/Talosconfig", management.TalosconfigRequest, management.TalosconfigResponse, reads=True
)
OMNICONFIG = Rpc(f"{_MANAGEMENT}/Omniconfig", Empty, management.OmniconfigResponse, repeatable=True)
MACHINE_LOGS = Rpc(f"{_MANAGEMENT}/MachineLogs", management.MachineLogsRequest, common.Data, reads=True)
VALIDATE_CONFIG = Rpc(f"{_MANAGEMENT}/ValidateConfig", management.ValidateConfigRequest, Empty, repeatable=True)
VALIDATE_JSON_SCHEMA = Rpc(
    f"{_MANAGEMENT}/ValidateJSONSchema",
    management.ValidateJsonSchemaRequest,
    management.ValidateJsonSchemaResponse,
    repeatable=True,
)
CREATE_SERVICE_ACCOUNT = Rpc(
    f"{_MANAGEMENT}/CreateServiceAccount",
    management.CreateServiceAccountRequest,
    management.CreateServiceAccountResponse,
)
RENEW_SERVICE_ACCOUNT = Rpc(
    f"{_MANAGEMENT}/RenewServiceAccount",
    management.RenewServiceAccountRequest,
    management.RenewServiceAccountResponse,
)
LIST_SERVICE_ACCOUNTS = Rpc(
    f"{_MANAGEMENT}/ListServiceAccounts", Empty, management.ListServiceAccountsResponse, repeatable=True
)
DESTROY_SERVICE_ACCOUNT = Rpc(f"{_MANAGEMENT}/DestroyServiceAccount", management.DestroyServiceAccountRequest, Empty)
KUBERNETES_UPGRADE_PRE_CHECKS = Rpc(
    f"{_MANAGEMENT}/KubernetesUpgradePreChecks",
    management.KubernetesUpgradePreChecksRequest,
    management.KubernetesUpgradePreChecksResponse,
    repeatable=True,
)
KUBERNETES_SYNC_MANIFESTS = Rpc(
    f"{_MANAGEMENT}/KubernetesSyncManifests",
    management.KubernetesSyncManifestRequest,
    management.KubernetesSyncManifestResponse,
)
CREATE_SCHEMATIC = Rpc(
    f"{_MANAGEMENT}/CreateSchematic", management.CreateSchematicRequest, management.CreateSchematicResponse
)
CREATE_SCHEMATIC_FROM_RAW = Rpc(
    f"{_MANAGEMENT}/CreateSchematicFromRaw",
    management.CreateSchematicFromRawRequest,
    management.CreateSchematicResponse,
)
GET_BOOT_ASSET_URL = Rpc(
    f"{_MANAGEMENT}/GetBootAssetURL",
    management.BootAssetURLRequest,
    management.BootAssetURLResponse,
    repeatable=True,
)
GET_SUPPORT_BUNDLE = Rpc(
    f"{_MANAGEMENT}/GetSupportBundle",
    management.GetSupportBundleRequest,
    management.GetSupportBundleResponse,
    reads=True,
)
READ_AUDIT_LOG = Rpc(
    f"{_MANAGEMENT}/ReadAuditLog", management.ReadAuditLogRequest, management.ReadAuditLogResponse, reads=True
)
MAINTENANCE_UPGRADE = Rpc(
    f"{_MANAGEMENT}/MaintenanceUpgrade", management.MaintenanceUpgradeRequest, management.MaintenanceUpgradeResponse
)
MAINTENANCE_LIFECYCLE = Rpc(
    f"{_MANAGEMENT}/MaintenanceLifecycle",
    management.MaintenanceLifecycleRequest,
    management.MaintenanceLifecycleResponse,
)
GET_MACHINE_JOIN_CONFIG = Rpc(
    f"{_MANAGEMENT}/GetMachineJoinConfig",
    management.GetMachineJoinConfigRequest,
    management.GetMachineJoinConfigResponse,
    repeatable=True,
)
CREATE_JOIN_TOKEN = Rpc(
    f"{_MANAGEMENT}/CreateJoinToken", management.CreateJoinTokenRequest, management.CreateJoinTokenResponse
)
RESET_NODE_UNIQUE_TOKEN = Rpc(
    f"{_MANAGEMENT}/ResetNodeUniqueToken",
    management.ResetNodeUniqueTokenRequest,
    management.ResetNodeUniqueTokenResponse,
)
CREATE_USER = Rpc(f"{_MANAGEMENT}/CreateUser", management.CreateUserRequest, management.CreateUserResponse)
LIST_USERS = Rpc(f"{_MANAGEMENT}/ListUsers", Empty, management.ListUsersResponse, repeatable=True)
UPDATE_USER = Rpc(f"{_MANAGEMENT}/UpdateUser", management.UpdateUserRequest, Empty)
DESTROY_USER = Rpc(f"{_MANAGEMENT}/DestroyUser", management.DestroyUserRequest, Empty)
MACHINE_POWER_OFF = Rpc(
    f"{_MANAGEMENT}/MachinePowerOff", management.MachinePowerOffRequest, management.MachinePowerOffResponse
)
MACHINE_POWER_ON = Rpc(
    f"{_MANAGEMENT}/MachinePowerOn", management.MachinePowerOnRequest, management.MachinePowerOnResponse
)

_MACHINE = "machine.MachineService"
REBOOT = Rpc(f"{_MACHINE}/Reboot", machine.RebootRequest, machine.RebootResponse)
SHUTDOWN = Rpc(f"{_MACHINE}/Shutdown", machine.ShutdownRequest, machine.ShutdownResponse)
RESET = Rpc(f"{_MACHINE}/Reset", machine.ResetRequest, machine.ResetResponse)
VERSION = Rpc(f"{_MACHINE}/Version", Empty, machine.VersionResponse, repeatable=True)

_AUTH = "auth.AuthService"
REGISTER_PUBLIC_KEY = Rpc(
    f"{_AUTH}/RegisterPublicKey", auth.RegisterPublicKeyRequest, auth.RegisterPublicKeyResponse, signed=False
)
AWAIT_PUBLIC_KEY_CONFIRMATION = Rpc(
    f"{_AUTH}/AwaitPublicKeyConfirmation", auth.AwaitPublicKeyConfirmationRequest, Empty, signed=False
)
CONFIRM_PUBLIC_KEY = Rpc(f"{_AUTH}/ConfirmPublicKey", auth.ConfirmPublicKeyRequest, Empty, signed=False)
REVOKE_PUBLIC_KEY = Rpc(f"{_AUTH}/RevokePublicKey", auth.RevokePublicKeyRequest, Empty)

AUTHENTICATE = Rpc("oidc.OIDCService/Authenticate", oidc.AuthenticateRequest, oidc.AuthenticateResponse)

ALL: tuple[Rpc[Any, Any], ...] = tuple(value for value in tuple(vars().values()) if isinstance(value, Rpc))
REPEATABLE = tuple(rpc for rpc in ALL if rpc.repeatable)
UNSIGNED_PATHS = frozenset(rpc.path for rpc in ALL if not rpc.signed)
