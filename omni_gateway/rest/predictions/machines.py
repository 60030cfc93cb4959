"""Rules of machine classes, requests for machines, their extensions, arguments and images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from omni_gateway.model import label_names
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.omni import selectors, types
from omni_gateway.rest.predictions.access import wrong_selectors
from omni_gateway.rest.predictions.rule import Write, feature, has_control_characters, members_of, minor_of

_PROVIDER_LABEL = f"{label_names.OWN_PREFIX}infra-provider-id"
_STATIC_PROVIDER = f"{label_names.OWN_PREFIX}is-static-infra-provider"
_NO_MANUAL_ALLOCATION = f"{label_names.OWN_PREFIX}no-manual-allocation"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_EXTENSIONS = 256
_MOST_ARGUMENTS, _LONGEST_ARGUMENT, _LONGEST_ARGUMENTS = 64, 256, 4096
_LONGEST = {"extra_kernel_args": 4096, "requested_reboot_id": 128, "power_off_request_id": 128}
_ACCEPTED = 1
_EMBEDDED_CONFIG = (1, 12)


def machine_class(write: Write) -> Iterator[str]:
    """Yield the errors of a machine class."""
    texts, provision = write.resource.spec.get("match_labels") or [], write.resource.spec.get("auto_provision")
    if bool(texts) == (provision is not None):
        yield "A class has either `match_labels` or `auto_provision`."
    yield from wrong_selectors(texts)
    if any(_NO_MANUAL_ALLOCATION in text for text in texts if _selects(text, _NO_MANUAL_ALLOCATION)):
        yield f"The label {_NO_MANUAL_ALLOCATION} cannot be selected by."
    if provision is None:
        return
    if not provision.get("provider_id"):
        yield "The id of an infra provider is missing."
    yield from _arguments(provision.get("kernel_args") or [])
    before = write.existing.spec.get("auto_provision") if write.existing else None
    if write.existing is None or (before and before.get("provider_data") != provision.get("provider_data")):
        yield from _provider(write, provision.get("provider_id") or "")


def _selects(text: str, key: str) -> bool:
    try:
        return any(term.key == key for term in selectors.parse(text).terms)
    except selectors.SelectorError:
        return False


def _provider(write: Write, id: str) -> Iterator[str]:
    status = write.find(types.INFRA_PROVIDER_STATUSES, id)
    if status is None:
        yield f"There is no infra provider {id!r}." if id else "The id of an infra provider is missing."
    elif _STATIC_PROVIDER in status.labels:
        yield f"The infra provider {id!r} makes no machines."


def machine_request(write: Write) -> Iterator[str]:
    """Yield the errors of a request for a machine."""
    if write.existing is None and not write.label(_PROVIDER_LABEL):
        yield f"The label {_PROVIDER_LABEL} is missing."


def machine_request_set(write: Write) -> Iterator[str]:
    """Yield the errors of a request for machines."""
    if write.changes("provider_data") or write.existing is None:
        yield from _provider(write, write.text("provider_id"))
    version = write.text("talos_version")
    known = write.find(types.TALOS_VERSIONS, version)
    if known is None:
        yield f"Omni knows no Talos {version!r}."
    elif known.spec.get("deprecated") or known.spec.get("unsupported"):
        yield f"Talos {version} is no longer supported."
    else:
        yield from _extensions(write, write.resource.spec.get("extensions") or [], version)
    yield from _arguments(write.resource.spec.get("kernel_args") or [])


def kernel_args(write: Write) -> Iterator[str]:
    """Yield the errors of a machine's further kernel arguments."""
    yield from _arguments(write.resource.spec.get("args") or [])


def _arguments(arguments: Sequence[str]) -> Iterator[str]:
    if len(arguments) > _MOST_ARGUMENTS:
        yield f"There are more than {_MOST_ARGUMENTS} kernel arguments."
    if any(len(argument.encode()) > _LONGEST_ARGUMENT or has_control_characters(argument) for argument in arguments):
        yield f"A kernel argument has at most {_LONGEST_ARGUMENT} bytes and no control characters."


def extensions_configuration(write: Write) -> Iterator[str]:
    """Yield the errors of the extensions of a cluster, a machine set or a machine."""
    wanted = write.resource.spec.get("extensions") or []
    if not wanted:
        return
    cluster = write.find(types.CLUSTERS, write.label(label_names.LABEL_CLUSTER))
    if cluster is None:
        yield f"The label {label_names.LABEL_CLUSTER} names no cluster."
    else:
        yield from _extensions(write, wanted, str(cluster.spec.get("talos_version") or ""))


def _extensions(write: Write, wanted: Sequence[str], talos: str) -> Iterator[str]:
    if len(wanted) > _MOST_EXTENSIONS:
        yield f"There are more than {_MOST_EXTENSIONS} extensions."
        return
    if not wanted:
        return
    found = [write.find(types.TALOS_EXTENSIONS, talos.removeprefix("v"))]
    if not talos:  # Omni chooses the version, so an extension of any version is accepted
        found = [*resources_of(write.omni.resources.list(types.TALOS_EXTENSIONS))]
    known = {item.get("name") for one in found if one for item in (one.spec.get("items") or [])}
    full = [name if "/" in name else f"siderolabs/{name}" for name in wanted]
    if len(set(full)) < len(full):
        yield "An extension is given twice."
    yield from (f"Talos {talos} has no extension {name!r}." for name in full if name not in known)


def installation_media(write: Write) -> Iterator[str]:
    """Yield the errors of an installation medium's configuration."""
    spec = write.resource.spec
    cloud, board = spec.get("cloud"), spec.get("sbc")
    if not spec.get("architecture"):
        yield "The architecture is missing."
    if cloud is not None and board is not None:
        yield "A medium is for a cloud platform or for a board."
    platform, overlay = members_of(cloud).get("platform") or "", members_of(board).get("overlay") or ""
    if cloud is not None and write.find(types.CLOUD_PLATFORM_CONFIGS, platform) is None:
        yield f"There is no cloud platform {platform!r}."
    if board is not None and write.find(types.SBC_CONFIGS, overlay) is None:
        yield f"There is no board {overlay!r}."
    version = write.text("talos_version").removeprefix("v")
    if version and write.find(types.TALOS_VERSIONS, version) is None:
        yield f"Omni knows no Talos {version!r}."
    else:
        yield from _extensions(write, spec.get("install_extensions") or [], version)
    if version and spec.get("embedded_machine_config") and (minor_of(version) or (0, 0)) < _EMBEDDED_CONFIG:
        yield f"Images of Talos {version} hold no machine configuration."
    arguments = write.text("kernel_args")
    if len(arguments.encode()) > _LONGEST_ARGUMENTS or has_control_characters(arguments):
        yield f"The kernel arguments have at most {_LONGEST_ARGUMENTS} bytes and no control characters."
    known = [feature(write, f"{which}image_factory_base_url") or "" for which in ("", "secondary_")]
    factory = write.text("image_factory_url").rstrip("/")
    if write.text("image_factory_url") and factory not in [url.rstrip("/") for url in known]:
        yield "This is not the image factory of this Omni."


def infra_machine_config(write: Write) -> Iterator[str]:
    """Yield the errors of a bare-metal machine's configuration."""
    for member, longest in _LONGEST.items():
        text = write.text(member)
        if len(text.encode()) > longest or has_control_characters(text):
            yield f"`{member}` has at most {longest} bytes and no control characters."
    accepted = write.existing is not None and write.existing.spec.get("acceptance_status") == _ACCEPTED
    if accepted and write.changes("acceptance_status"):
        yield "A machine that was accepted stays accepted."


def infra_provider(write: Write) -> Iterator[str]:
    """Yield the errors of the id of an infra provider."""
    if write.existing is None and not _DNS_LABEL.fullmatch(write.resource.id):
        yield "The id of an infra provider must be a DNS label."


def force_destroy(write: Write) -> Iterator[str]:
    """Yield the errors of a request to destroy a node by force."""
    if write.existing is None and write.find(types.CLUSTER_MACHINES, write.resource.id) is None:
        yield f"The machine {write.resource.id!r} is in no cluster."
