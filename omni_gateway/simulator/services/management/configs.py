"""Client configurations: for kubectl, talosctl and omnictl.

Behind the Kubernetes proxy that they name, a simulated cluster has Services and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import yaml
from google.protobuf import empty_pb2

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controllers.cluster_secrets import BREAK_GLASS_AT, note_time
from omni_gateway.simulator.errors import InvalidArgument, NotFound, PermissionDenied, Unknown
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.identity.caller import Identity
from omni_gateway.simulator.kubernetes import tokens
from omni_gateway.simulator.network import INSTANCE_NAME
from omni_gateway.simulator.services.management import break_glass
from omni_gateway.simulator.services.management.base import Calls, Context, cluster_of
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import management_pb2 as pb

_GRANT_TYPES = ("", "auto", "authcode", "authcode-keyboard")
_LONGEST_TTL_SECONDS = 10 * 365 * 24 * 3600


class ConfigCalls(Calls):
    """The calls that hand out configurations."""

    def Kubeconfig(self, request: pb.KubeconfigRequest, context: Context) -> pb.KubeconfigResponse:
        """Return a kubeconfig: one that logs its user in, or one with a token of its own.

        As at a real Omni, the first kind is made for clusters that do not exist, too.
        """
        cluster = cluster_of(context)
        if request.break_glass:
            access.require("Admin")
            return pb.KubeconfigResponse(kubeconfig=_yaml(self._bypassing(cluster, break_glass.kubeconfig)))
        who = access.require("Operator" if request.service_account else "Reader")
        user: dict[str, Any]
        if request.service_account:
            user = {"token": self._token(request, cluster)}
        else:
            if request.grant_type not in _GRANT_TYPES:
                raise InvalidArgument(f"{request.grant_type!r} is no grant type")
            user = {"exec": self._login(request, cluster, who)}
        config = _kubeconfig(cluster, _user_name(request, who), user, self._kubernetes_url())
        return pb.KubeconfigResponse(kubeconfig=_yaml(config))

    def Talosconfig(self, request: pb.TalosconfigRequest, context: Context) -> pb.TalosconfigResponse:
        """Return a talosconfig that signs with its user's own key.

        A raw one is for builds of Omni that are debugged, and this is none.
        """
        who = access.require("Admin" if request.break_glass else "Reader")
        cluster = cluster_of(context)
        if request.raw:
            raise PermissionDenied("this Omni hands out no raw configurations")
        if request.break_glass:
            return pb.TalosconfigResponse(talosconfig=_yaml(self._bypassing(cluster, break_glass.talosconfig)))
        name = f"{INSTANCE_NAME}-{cluster}" if cluster else INSTANCE_NAME
        auth = {"auth": {"siderov1": {"identity": who.name}}}
        entry: dict[str, Any] = {"endpoints": [self._advertised_url()], **auth}
        if cluster:
            entry["cluster"] = cluster
        return pb.TalosconfigResponse(talosconfig=_yaml({"context": name, "contexts": {name: entry}}))

    def Omniconfig(self, request: empty_pb2.Empty, context: Context) -> pb.OmniconfigResponse:
        """Return an omniconfig; any signed caller may have one."""
        who = access.require_signed()
        entry = {"url": self._advertised_url(), "auth": {"siderov1": {"identity": who.name}}}
        return pb.OmniconfigResponse(omniconfig=_yaml({"contexts": {"default": entry}, "context": "default"}))

    def _bypassing(self, cluster: str, build: Callable[[Store, str], dict[str, Any]]) -> dict[str, Any]:
        """Return a configuration that bypasses this Omni, and mark the cluster as one that others can reach."""
        if not self._break_glass:
            raise PermissionDenied("this Omni hands out no break-glass configurations")
        if not cluster:
            raise InvalidArgument("a cluster is needed")
        if not note_time(self._store, cluster, BREAK_GLASS_AT):
            raise NotFound(f"there are no secrets of a cluster {cluster!r}")
        return build(self._store, cluster)

    def _login(self, request: pb.KubeconfigRequest, cluster: str, who: Identity) -> dict[str, Any]:
        args = [
            "oidc-login",
            "get-token",
            f"--oidc-issuer-url={self._advertised_url()}/oidc",
            "--oidc-client-id=native",
            f"--oidc-extra-scope=cluster:{cluster}",
        ]
        if request.grant_type:
            args.append(f"--grant-type={request.grant_type}")
        cache = request.oidc_cache_base_dir
        if request.oidc_cache_isolation:
            cache = f"{cache or '~/.kube/cache/oidc-login'}/{INSTANCE_NAME}-{cluster}-{who.name}"
        if cache:
            args.append(f"--token-cache-dir={cache}")
        return {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubectl",
            "args": args,
            "env": None,
            "provideClusterInfo": False,
        }

    def _token(self, request: pb.KubeconfigRequest, cluster: str) -> str:
        ttl = request.service_account_ttl.ToTimedelta().total_seconds()
        if not request.service_account_user:
            raise InvalidArgument("service_account_user is needed")
        if ttl <= 0 or ttl > _LONGEST_TTL_SECONDS:
            raise InvalidArgument("service_account_ttl is needed, of ten years at most")
        uuid = self._store.peek("default", kinds.CLUSTER_UUID, cluster)
        if uuid is None:
            raise Unknown(f"there is no cluster {cluster!r}")
        now = int(time.time())
        claims = {
            "iss": f"{self._advertised_url()}/oidc",
            "aud": [self._kubernetes_url()],
            "sub": request.service_account_user,
            "groups": list(request.service_account_groups),
            "cluster": cluster,
            "cluster_uuid": uuid.spec["uuid"],
            "iat": now,
            "nbf": now,
            "exp": now + int(ttl),
        }
        return tokens.sign(claims, uuid.spec["uuid"])


def _user_name(request: pb.KubeconfigRequest, who: Identity) -> str:
    return request.service_account_user if request.service_account else who.name


def _kubeconfig(cluster: str, user: str, credentials: dict[str, Any], server: str) -> dict[str, Any]:
    name = f"{INSTANCE_NAME}-{cluster}"
    user_name = f"{name}-{user}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "contexts": [{"name": name, "context": {"cluster": name, "namespace": "default", "user": user_name}}],
        "current-context": name,
        "users": [{"name": user_name, "user": credentials}],
    }


def _yaml(content: dict[str, Any]) -> bytes:
    return yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False).encode()
