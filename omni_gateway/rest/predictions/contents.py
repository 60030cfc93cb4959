"""Rules of texts that Omni parses: patches, manifests, secrets bundles, disk selectors."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.http.problems import Problem
from omni_gateway.http.yaml_body import top_levels, yaml_documents
from omni_gateway.model import label_names
from omni_gateway.omni import types
from omni_gateway.rest.predictions import disk_selectors
from omni_gateway.rest.predictions.rule import Write, seconds_of

_SYSTEM_MANIFEST = f"{label_names.OWN_PREFIX}system-manifest"
_TEXTS = ("cluster.id", "cluster.secret", "secrets.bootstraptoken", "trustdinfo.token")
_ENCRYPTION = ("secrets.secretboxencryptionsecret", "secrets.aescbcencryptionsecret")
_PEMS = {
    **{f"certs.{name}.crt": "CERTIFICATE" for name in ("etcd", "k8s", "k8saggregator", "os")},
    **{f"certs.{name}.key": "PRIVATE KEY" for name in ("etcd", "k8s", "k8saggregator", "os", "k8sserviceaccount")},
}
_RUNNER = "omni-healthcheck-"
_LONGEST_NAME = 253
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SHORTEST_CHECK_SECONDS = 5.0


def config_patch(write: Write) -> Iterator[str]:
    """Yield the errors of the objects that a patch names; its text is checked by a call to Omni elsewhere."""
    if write.existing is not None:
        return
    for label, type in (
        (label_names.LABEL_CLUSTER, types.CLUSTERS),
        (label_names.LABEL_MACHINE_SET, types.MACHINE_SETS),
    ):
        target = write.find(type, write.label(label))
        if target is not None and target.tearing_down:
            yield f"{target.id!r} is being removed."


def manifest_group(write: Write) -> Iterator[str]:
    """Yield the errors of a group of Kubernetes manifests."""
    if label_names.LABEL_CLUSTER not in write.resource.labels:
        yield f"The label {label_names.LABEL_CLUSTER} is missing."
    if _SYSTEM_MANIFEST in write.resource.labels:
        yield f"The label {_SYSTEM_MANIFEST} is Omni's own."
    if not write.resource.spec.get("mode"):
        yield "The mode is missing."
    found = _documents(write.text("data"))
    if found is None or any(document is None or (document and not document.get("kind")) for document in found):
        yield "Each manifest is an object with a `kind`."


def imported_secrets(write: Write) -> Iterator[str]:
    """Yield the errors of the secrets of a cluster that is to be imported."""
    if write.existing is not None:
        return
    if write.find(types.CLUSTERS, write.resource.id) is not None:
        yield f"There is a cluster {write.resource.id!r} already."
    try:
        (bundle,) = yaml_documents(write.text("data").encode(), most=1)
    except (Problem, ValueError):
        bundle = None
    if not isinstance(bundle, Mapping):
        yield "A secrets bundle is one object."
        return
    yield from (f"The secrets bundle has no {path}." for path in _TEXTS if not _at(bundle, path))
    if sum(bool(_at(bundle, path)) for path in _ENCRYPTION) != 1:
        yield f"The secrets bundle has either {' or '.join(_ENCRYPTION)}."
    for path, kind in _PEMS.items():
        if not re.search(rf"-----BEGIN [A-Z0-9 ]*{kind}-----", _decoded(_at(bundle, path))):
            yield f"{path} is no {kind.lower()} in base64."


def _at(value: Any, path: str) -> str:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("ascii", "replace")
    except ValueError:
        return ""


def _documents(text: str) -> list[dict[str, str] | None] | None:
    """Return the members of each YAML document of a text; None for invalid YAML."""
    try:
        return top_levels(text)
    except ValueError:
        return None


def health_check(write: Write) -> Iterator[str]:
    """Yield the errors of a health check."""
    runner = f"{_RUNNER}{write.resource.id}"
    if len(runner) > _LONGEST_NAME or not all(_DNS_LABEL.fullmatch(part) for part in runner.split(".")):
        yield "The id makes no DNS name of a Kubernetes job."
    job = write.text("job")
    if not job:
        yield "The job is missing."
    elif not (found := _documents(job)) or found[0] is None:
        yield "The job is no manifest."
    if 0 < seconds_of(write.text("interval")) < _SHORTEST_CHECK_SECONDS:
        yield f"The interval must be {_SHORTEST_CHECK_SECONDS:g}s or more."


def install_disk(write: Write) -> Iterator[str]:
    """Yield the errors of the choice of a disk."""
    selector = write.text("disk_selector")
    if bool(write.text("disk")) == bool(selector):
        yield "Either a disk or a disk selector."
    if selector and not disk_selectors.may_compile(selector):
        yield "The disk selector does not compile to true or false."
