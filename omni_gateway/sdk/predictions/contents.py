"""Rules of texts that Omni reads: patches, manifests, secrets bundles, disk selectors."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni_gateway.http.yaml_body import top_level_keys
from omni_gateway.omni import types
from omni_gateway.sdk import names
from omni_gateway.sdk.predictions import disk_selectors
from omni_gateway.sdk.predictions.rule import Write, seconds_of

_SYSTEM_MANIFEST = f"{names.OWN_PREFIX}system-manifest"
_BUNDLE_KEYS = frozenset({"cluster", "secrets", "certs"})
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SHORTEST_CHECK_SECONDS = 5.0


def config_patch(write: Write) -> Iterator[str]:
    """Judge which objects a patch names; its text is judged by Omni itself, which has a call for that."""
    if write.existing is not None:
        return
    for label, type in ((names.LABEL_CLUSTER, types.CLUSTERS), (names.LABEL_MACHINE_SET, types.MACHINE_SETS)):
        target = write.find(type, write.label(label))
        if target is not None and target.tearing_down:
            yield f"{target.id!r} is being removed."


def manifest_group(write: Write) -> Iterator[str]:
    """Judge a group of Kubernetes manifests."""
    if not write.label(names.LABEL_CLUSTER):
        yield f"The label {names.LABEL_CLUSTER} is missing."
    if _SYSTEM_MANIFEST in write.resource.labels:
        yield f"The label {_SYSTEM_MANIFEST} is Omni's own."
    if not write.resource.spec.get("mode"):
        yield "The mode is missing."
    found = _documents(write.text("data"))
    if not found or not all({"apiVersion", "kind"} <= keys for keys in found):
        yield "Each manifest is an object with `apiVersion` and `kind`."


def imported_secrets(write: Write) -> Iterator[str]:
    """Judge the secrets of a cluster that is to be imported."""
    if write.existing is not None:
        return
    if write.find(types.CLUSTERS, write.resource.id) is not None:
        yield f"There is a cluster {write.resource.id!r} already."
    found = _documents(write.text("data"))
    if len(found) != 1 or not found[0] >= _BUNDLE_KEYS:
        yield f"A secrets bundle is one object with {', '.join(sorted(_BUNDLE_KEYS))}."


def _documents(text: str) -> list[frozenset[str]]:
    """Return the keys of each document of a text; nothing of what is no YAML."""
    try:
        return top_level_keys(text)
    except ValueError:
        return []


def health_check(write: Write) -> Iterator[str]:
    """Judge a health check."""
    if not _DNS_NAME.fullmatch(write.resource.id):
        yield "The id must be a DNS name."
    if not write.text("job"):
        yield "The job is missing."
    interval = write.text("interval")
    if interval and seconds_of(interval) < _SHORTEST_CHECK_SECONDS:
        yield f"The interval must be {_SHORTEST_CHECK_SECONDS:g}s or more."


def install_disk(write: Write) -> Iterator[str]:
    """Judge the choice of a disk."""
    selector = write.text("disk_selector")
    if bool(write.text("disk")) == bool(selector):
        yield "Either a disk or a disk selector."
    if selector and not disk_selectors.may_compile(selector):
        yield "The disk selector does not compile to true or false."
