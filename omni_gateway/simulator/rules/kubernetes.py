"""Rules of what is run inside a cluster and of its secrets: manifests, health checks, rotations, imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from .. import labels, safe_yaml
from ..errors import InvalidArgument
from ..resource import Resource
from . import locks
from .base import RuleContext, Rules
from .durations import seconds

_SYSTEM_MANIFEST = labels.PREFIX + "system-manifest"
_ROTATION_STATUS = "ClusterSecretsRotationStatuses.omni.sidero.dev"
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SHORTEST_INTERVAL = 5.0
_BUNDLE_KEYS = ("cluster", "secrets", "certs")


def _manifests(_: RuleContext, new: Resource) -> Iterator[str]:
    if not new.labels.get(labels.CLUSTER):
        yield f"the label {labels.CLUSTER} is missing"
    if _SYSTEM_MANIFEST in new.labels:
        yield f"the label {_SYSTEM_MANIFEST} is Omni's own"
    if not new.spec.get("mode"):
        yield "the mode is missing"
    for document in _documents(new.spec.get("data") or ""):
        if isinstance(document, str):
            yield document
        elif not {"apiVersion", "kind"} <= _keys(document):
            yield "every manifest is a mapping with apiVersion and kind"


def _health_check(_: RuleContext, new: Resource) -> Iterator[str]:
    if not _DNS_NAME.fullmatch(new.id):
        yield "the id must be a DNS name"
    if not new.spec.get("job"):
        yield "the job is missing"
    if (interval := new.spec.get("interval")) and seconds(interval) < _SHORTEST_INTERVAL:
        yield f"the interval must be {_SHORTEST_INTERVAL:g} seconds or more"


def _while_rotating(ctx: RuleContext, old: Resource) -> Iterator[str]:
    status = ctx.find(_ROTATION_STATUS, old.id)
    if status is not None and status.spec.get("phase"):
        yield "a rotation is under way"


def _imported(ctx: RuleContext, new: Resource) -> Iterator[str]:
    if ctx.find(locks.CLUSTER, new.id) is not None:
        yield f"the cluster {new.id!r} already exists"
    found = list(_documents(new.spec.get("data") or ""))
    if len(found) != 1 or isinstance(found[0], str) or not set(_BUNDLE_KEYS) <= _keys(found[0]):
        yield f"a secrets bundle is one mapping with {', '.join(_BUNDLE_KEYS)}"


def _documents(text: str) -> Iterator[yaml.Node | str]:
    """Yield the documents of a text; a problem instead when there are none to read."""
    try:
        found = safe_yaml.documents(text)
    except InvalidArgument as error:
        yield error.message
        return
    yield from found if found else ("there is no document",)


def _keys(node: yaml.Node | str) -> set[str]:
    return {key.value for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()


MANIFESTS = Rules("KubernetesManifestGroups.omni.sidero.dev", _manifests, lambda ctx, _, new: _manifests(ctx, new))
HEALTH_CHECK = Rules(
    "KubernetesHealthChecks.omni.sidero.dev", _health_check, lambda ctx, _, new: _health_check(ctx, new)
)
IMPORTED = Rules("ImportedClusterSecrets.omni.sidero.dev", _imported)
ROTATIONS = tuple(
    Rules(type_, update=lambda ctx, old, _: _while_rotating(ctx, old), destroy=_while_rotating)
    for type_ in ("RotateTalosCAs.omni.sidero.dev", "RotateKubernetesCAs.omni.sidero.dev")
)
