"""The downloads of a cluster: kubeconfig, talosconfig, support bundle.

Omni returns a kubeconfig for clusters that do not exist, so the cluster is read first. Responses are never cached: they
may be credentials.

A break-glass file bypasses Omni, which makes it only where its operator has switched that on, and marks the cluster's
status until both of its authorities are replaced. A HEAD has no file with a credential made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Problem, Role
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import ComputedDocument, FileResponse, StreamingResponse, check_role, problem_for
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import omni_errors, types
from resources.cluster.adapter import ClusterAdapter

YAML = "application/yaml"
ZIP = "application/zip"
BUNDLE_SECONDS = 900.0
_OF_SERVICE_ACCOUNTS = ("user", "ttl", "groups")
_OF_LOGINS = ("grant_type", "oidc_cache_base_dir", "oidc_cache_isolation")
ABOUT_BREAK_GLASS = (
    "A file with a certificate, which leads to the machines and bypasses Omni (role: admin). Omni gives it out only"
    " where its operator has switched that on (403), and taints the cluster: see `taints` of its status"
)


class KubeconfigQuery(ma.Schema):
    """Query of a kubeconfig: for a service account, or for a user who logs in."""

    service_account = fields.Boolean(
        load_default=False,
        metadata={
            "description": "A kubeconfig with a token, for machines (role: operator). Without it, one without a secret,"
            " whose user logs in to Omni"
        },
    )
    user = fields.String(
        validate=validate.Length(min=1, max=255),
        metadata={"description": "With `service_account`, required: the Kubernetes user that the token stands for"},
    )
    ttl = wire.Duration(
        validate=wire.token_ttl,
        metadata={"description": "With `service_account`, required: the token's life, e.g. `8h`; at most 10 years"},
    )
    groups = fields.String(
        validate=[validate.Length(max=4096), wire.token_groups],
        metadata={"description": "With `service_account`: Kubernetes groups, comma separated, e.g. `system:masters`"},
    )
    grant_type = fields.String(
        validate=validate.OneOf(["auto", "authcode", "authcode-keyboard"]),
        metadata={"description": "Of a user who logs in: how"},
    )
    oidc_cache_base_dir = fields.String(
        validate=validate.Length(min=1, max=4096),
        metadata={"description": "Of a user who logs in: the directory on their machine that keeps their tokens"},
    )
    oidc_cache_isolation = fields.Boolean(
        metadata={"description": "Of a user who logs in: keep the tokens of each cluster in a directory of their own"}
    )
    break_glass = fields.Boolean(load_default=False, metadata={"description": ABOUT_BREAK_GLASS})

    @ma.validates_schema
    def check_form(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for parameters that are missing or belong to another form."""
        if data["service_account"] and data["break_glass"]:
            raise ma.ValidationError("Does not go with service_account=true.", "break_glass")
        wrong: dict[str, list[str]] = {}
        if data["service_account"]:
            wrong |= {name: ["Required with service_account=true."] for name in ("user", "ttl") if not data.get(name)}
        else:
            wrong |= {name: ["Goes with service_account=true only."] for name in _OF_SERVICE_ACCOUNTS if name in data}
        form = "service_account" if data["service_account"] else "break_glass" if data["break_glass"] else ""
        if form:
            wrong |= {name: [f"Does not go with {form}=true."] for name in _OF_LOGINS if name in data}
        if wrong:
            raise ma.ValidationError(wrong)


class TalosconfigQuery(ma.Schema):
    """Query of a talosconfig."""

    break_glass = fields.Boolean(load_default=False, metadata={"description": ABOUT_BREAK_GLASS})
    raw = fields.Boolean(
        load_default=False,
        metadata={
            "description": "The cluster's own talosconfig, of an admin of Talos (role: admin); only a debug build of"
            " Omni gives it out, any other refuses it (403)"
        },
    )

    @ma.validates_schema
    def check_form(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for both forms at once."""
        if data["break_glass"] and data["raw"]:
            raise ma.ValidationError("Does not go with break_glass=true.", "raw")


def kubeconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return a kubeconfig for the cluster; 409 for a cluster so new that Omni has none yet."""
    adapter.get(id)
    management, filename = adapter.omni.management, f"{id}-kubeconfig.yaml"
    if query["break_glass"]:
        check_role(Role.ADMIN, authorized_by_omni=True)
        make = partial(management.kubeconfig, id, break_glass=True)
        return FileResponse(partial(_bypassing, id, make), YAML, filename, credential=True)
    if query["service_account"]:
        make = partial(management.kubeconfig, id, service_account=True, **_service_account(query))
        return FileResponse(partial(_once_known, adapter, id, make), YAML, filename, credential=True)
    options = {name: query[name] for name in _OF_LOGINS if name in query}
    return FileResponse(_once_known(adapter, id, partial(management.login_kubeconfig, id, **options)), YAML, filename)


def _once_known(adapter: ClusterAdapter, id: str, make: Callable[[], bytes]) -> bytes:
    """Return a kubeconfig. Raises 409 for a cluster that is too new, which Omni does not tell from other errors."""
    try:
        return make()
    except omni_errors.Unknown:
        if find(adapter.omni, types.CLUSTER_UUIDS, id) is None:
            raise _too_early(id) from None
        # It may have come since: asked once more, Omni tells what else is wrong.
        return make()


def _bypassing(id: str, make: Callable[[], bytes]) -> bytes:
    """Return a file that bypasses Omni, and explain Omni's refusals of it."""
    try:
        return make()
    except omni_errors.PermissionDenied as error:
        hint = "Omni's admins get them where `features.enableBreakGlassConfigs` is on; raw ones only of a debug build."
        raise problem_for(error, hint=hint) from error
    except omni_errors.NotFound:
        raise _too_early(id) from None


def _too_early(id: str) -> Problem:
    text = f"Omni has not finished creating the cluster {id!r}."
    return Problem(409, "too-early", text, headers={"Retry-After": "5"})


def _service_account(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for a service account's kubeconfig. Raises 403 without the role."""
    check_role(Role.OPERATOR, authorized_by_omni=True)
    groups = wire.token_groups(query.get("groups", ""))
    return {"user": query["user"], "ttl": wire.token_ttl(query["ttl"]), "groups": groups}


def talosconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return a talosconfig for the cluster: its user logs in to Omni, unless it is to bypass Omni."""
    adapter.get(id)
    management, filename = adapter.omni.management, f"{id}-talosconfig.yaml"
    if not (query["break_glass"] or query["raw"]):
        return FileResponse(management.talosconfig(id), YAML, filename)
    check_role(Role.ADMIN, authorized_by_omni=True)
    make = partial(management.talosconfig, id, break_glass=query["break_glass"], raw=query["raw"])
    return FileResponse(partial(_bypassing, id, make), YAML, filename, credential=True)


def support_bundle(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> StreamingResponse:
    """Stream the support bundle, a zip file; Omni may take minutes to collect it."""
    adapter.get(id)

    @contextmanager
    def open_bundle() -> Iterator[Iterator[bytes]]:
        with adapter.omni.management.support_bundle(id, timeout=BUNDLE_SECONDS) as stream:
            yield (item for item in stream if isinstance(item, bytes))

    return StreamingResponse(open_bundle, ZIP, f"{id}-support.zip")


KUBECONFIG = ComputedDocument(
    "kubeconfig",
    role=Role.READER,
    summary="A kubeconfig for the cluster",
    media_type=YAML,
    query=KubeconfigQuery,
    description="Without a secret: its user logs in to Omni. With `service_account=true` it has a token, and takes the"
    " role operator; with `break_glass=true` it has a certificate, and takes the role admin. 409 `too-early` for a"
    " cluster so new that Omni has none yet.",
    run=kubeconfig,
)
TALOSCONFIG = ComputedDocument(
    "talosconfig",
    role=Role.READER,
    summary="A talosconfig for the cluster",
    media_type=YAML,
    query=TalosconfigQuery,
    description="For talosctl, through Omni. Without a secret: its user logs in to Omni. With `break_glass=true` it has"
    " a certificate, and takes the role admin.",
    run=talosconfig,
)
SUPPORT_BUNDLE = ComputedDocument(
    "support-bundle",
    role=Role.OPERATOR,
    summary="A zip file with the cluster's state and logs for support",
    description="Omni collects it from the cluster's machines, which may take minutes; the file is sent as it is made.",
    media_type=ZIP,
    run=support_bundle,
)
