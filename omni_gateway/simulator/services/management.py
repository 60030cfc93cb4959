"""``management.ManagementService``: everything about clusters and machines that is a call rather than an object."""

from __future__ import annotations

from collections.abc import Callable

from omni_gateway.stubs import management_pb2_grpc as pb_grpc

from ..network import KUBERNETES_PROXY_URL, OMNI_URL
from ..store import Store
from .management_accounts import AccountCalls
from .management_audit import AuditCalls
from .management_configs import ConfigCalls
from .management_images import ImageCalls
from .management_joining import JoiningCalls
from .management_kubernetes import KubernetesCalls
from .management_machines import MachineCalls
from .management_maintenance import MaintenanceCalls
from .management_support import SupportCalls
from .management_users import UserCalls
from .management_validation import ValidationCalls


class ManagementService(
    ConfigCalls,
    MachineCalls,
    MaintenanceCalls,
    KubernetesCalls,
    AccountCalls,
    UserCalls,
    SupportCalls,
    ImageCalls,
    JoiningCalls,
    ValidationCalls,
    AuditCalls,
    pb_grpc.ManagementServiceServicer,
):
    """Put together from one class per feature, each over the same store.

    `advertised_url` tells under which URL callers reach this server, `kubernetes_url` the proxy to clusters.
    """

    def __init__(
        self,
        store: Store,
        advertised_url: Callable[[], str] = lambda: OMNI_URL,
        kubernetes_url: Callable[[], str] = lambda: KUBERNETES_PROXY_URL,
    ) -> None:
        super().__init__(store, advertised_url, kubernetes_url)
