"""``management.ManagementService``: everything about clusters and machines that is a call rather than an object."""

from __future__ import annotations

from collections.abc import Callable

from omni_gateway.simulator.network import FACTORY_URL, KUBERNETES_PROXY_URL, OMNI_URL
from omni_gateway.simulator.services.management.accounts import AccountCalls
from omni_gateway.simulator.services.management.audit import AuditCalls
from omni_gateway.simulator.services.management.configs import ConfigCalls
from omni_gateway.simulator.services.management.images import ImageCalls
from omni_gateway.simulator.services.management.join import JoiningCalls
from omni_gateway.simulator.services.management.kubernetes import KubernetesCalls
from omni_gateway.simulator.services.management.machines import MachineCalls
from omni_gateway.simulator.services.management.maintenance import MaintenanceCalls
from omni_gateway.simulator.services.management.support import SupportCalls
from omni_gateway.simulator.services.management.users import UserCalls
from omni_gateway.simulator.services.management.validation import ValidationCalls
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import management_pb2_grpc as pb_grpc


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

    `advertised_url` returns the URL of this server, `kubernetes_url` that of the proxy to clusters, `factory_url` that
    of the server of images; `break_glass`: configurations that bypass Omni are handed out.
    """

    def __init__(
        self,
        store: Store,
        advertised_url: Callable[[], str] = lambda: OMNI_URL,
        kubernetes_url: Callable[[], str] = lambda: KUBERNETES_PROXY_URL,
        factory_url: Callable[[], str] = lambda: FACTORY_URL,
        *,
        break_glass: bool = False,
    ) -> None:
        super().__init__(store, advertised_url, kubernetes_url, factory_url, break_glass=break_glass)
