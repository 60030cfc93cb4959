"""Files that give people and machines access: kubeconfig, talosconfig, omniconfig."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup, of_cluster
from omni_gateway.stubs import management_pb2 as pb


class AccessFiles(CallGroup):
    """Configuration files as YAML bytes. Omni does not check that the cluster exists: do that first."""

    def kubeconfig(
        self,
        cluster: str,
        *,
        service_account: bool = False,
        ttl: timedelta | None = None,
        user: str = "",
        groups: Sequence[str] = (),
        grant_type: str = "",
        break_glass: bool = False,
    ) -> bytes:
        """Return a kubeconfig that logs in through Omni, or, with ``service_account``, one that holds a token.

        A service account needs ``user`` and ``ttl`` (at most ten years) and takes ``groups``; ``grant_type`` is
        ``auto``, ``authcode`` or ``authcode-keyboard``. ``break_glass`` bypasses Omni where the server allows it.
        """

        def build() -> pb.KubeconfigRequest:
            request = pb.KubeconfigRequest(
                service_account=service_account,
                service_account_user=user,
                service_account_groups=groups,
                grant_type=grant_type,
                break_glass=break_glass,
            )
            if ttl is not None:
                request.service_account_ttl.CopyFrom(_duration(ttl))
            return request

        return self._calls.unary(rpcs.KUBECONFIG, build, metadata=of_cluster(cluster)).kubeconfig

    def login_kubeconfig(
        self,
        cluster: str,
        *,
        grant_type: str = "",
        oidc_cache_base_dir: str = "",
        oidc_cache_isolation: bool = False,
    ) -> bytes:
        """Return a kubeconfig whose user logs in through Omni.

        ``grant_type`` is as in :meth:`kubeconfig`. ``oidc_cache_base_dir``: where the login stores its tokens; with
        ``oidc_cache_isolation`` in a directory for each cluster and user.
        """
        answer = self._calls.unary(
            rpcs.KUBECONFIG,
            lambda: pb.KubeconfigRequest(
                grant_type=grant_type,
                oidc_cache_base_dir=oidc_cache_base_dir,
                oidc_cache_isolation=oidc_cache_isolation,
            ),
            metadata=of_cluster(cluster),
        )
        return answer.kubeconfig

    def talosconfig(self, cluster: str | None, *, raw: bool = False, break_glass: bool = False) -> bytes:
        """Return a talosconfig for one cluster, or for all of Omni; ``raw`` and ``break_glass`` bypass Omni."""
        answer = self._calls.unary(
            rpcs.TALOSCONFIG,
            lambda: pb.TalosconfigRequest(raw=raw, break_glass=break_glass),
            metadata=of_cluster(cluster),
        )
        return answer.talosconfig

    def omniconfig(self) -> bytes:
        """Return the configuration of Omni's own command line client."""
        return self._calls.unary(rpcs.OMNICONFIG, Empty).omniconfig


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
