"""The downloads of a cluster: kubeconfig, talosconfig, support bundle.

Omni returns a kubeconfig for clusters that do not exist, so the cluster is read first. Responses are never cached: they
may be credentials.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Problem, Role
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import ComputedDocument, FileResponse, StreamingResponse, check_role
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import omni_errors, types
from resources.cluster.adapter import ClusterAdapter

YAML = "application/yaml"
ZIP = "application/zip"
BUNDLE_SECONDS = 900.0
_LONGEST_TTL = timedelta(days=3650)
_MAX_GROUPS = 32


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
        metadata={"description": "With `service_account`, required: the token's life, e.g. `8h`; at most 10 years"}
    )
    groups = fields.String(
        validate=validate.Length(max=4096),
        metadata={"description": "With `service_account`: Kubernetes groups, comma separated, e.g. `system:masters`"},
    )
    grant_type = fields.String(
        validate=validate.OneOf(["auto", "authcode", "authcode-keyboard"]),
        metadata={"description": "Without `service_account`: how the user logs in"},
    )

    @ma.validates_schema
    def check_form(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for parameters that are missing or belong to the other form."""
        if data["service_account"]:
            missing = [name for name in ("user", "ttl") if not data.get(name)]
            wrong = {name: ["Required with service_account=true."] for name in missing}
            if "grant_type" in data:
                wrong["grant_type"] = ["Does not go with service_account=true."]
        else:
            wrong = {
                name: ["Goes with service_account=true only."] for name in ("user", "ttl", "groups") if name in data
            }
        if wrong:
            raise ma.ValidationError(wrong)


def kubeconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return a kubeconfig for the cluster; 409 for a cluster so new that Omni has none yet."""
    adapter.get(id)
    try:
        body = _kubeconfig(adapter, id, query)
    except omni_errors.Unknown:
        if find(adapter.omni, types.CLUSTER_UUIDS, id) is None:
            text = f"Omni has not finished creating the cluster {id!r}."
            raise Problem(409, "too-early", text, headers={"Retry-After": "5"}) from None
        # It may have come since: asked once more, Omni tells what else is wrong.
        body = _kubeconfig(adapter, id, query)
    return FileResponse(body, YAML, f"{id}-kubeconfig.yaml", credential=query["service_account"])


def _kubeconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> bytes:
    if query["service_account"]:
        return _service_account_kubeconfig(adapter, id, query)
    return adapter.omni.management.kubeconfig(id, grant_type=query.get("grant_type", ""))


def _service_account_kubeconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> bytes:
    check_role(Role.OPERATOR, authorized_by_omni=True)
    ttl = timedelta(seconds=float(query["ttl"].removesuffix("s")))
    groups = [group.strip() for group in query.get("groups", "").split(",") if group.strip()]
    errors = {}
    if not timedelta(0) < ttl <= _LONGEST_TTL:
        errors["ttl"] = ["Must be more than zero and at most 10 years (87600h)."]
    if len(groups) > _MAX_GROUPS:
        errors["groups"] = [f"At most {_MAX_GROUPS} groups."]
    if errors:
        raise Problem(422, "validation", errors=errors)
    return adapter.omni.management.kubeconfig(id, service_account=True, user=query["user"], ttl=ttl, groups=groups)


def talosconfig(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return a talosconfig for the cluster; it contains no secret, its user logs in to Omni."""
    adapter.get(id)
    return FileResponse(adapter.omni.management.talosconfig(id), YAML, f"{id}-talosconfig.yaml")


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
    " role operator. 409 `too-early` for a cluster so new that Omni has none yet.",
    run=kubeconfig,
)
TALOSCONFIG = ComputedDocument(
    "talosconfig",
    role=Role.READER,
    summary="A talosconfig for the cluster",
    media_type=YAML,
    description="For talosctl, through Omni. Without a secret: its user logs in to Omni.",
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
