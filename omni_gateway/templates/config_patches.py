"""What a patch of the machine configuration may not do in Omni.

Whether Talos has the fields that a patch sets is for Omni to say, which knows the versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from omni_gateway.http.problems import Problem
from omni_gateway.http.yaml_body import yaml_nodes
from omni_gateway.templates.model import Inline
from omni_gateway.templates.nodes import BadValue, of_yaml, plain_values

#: Documents in one patch.
_MOST_DOCUMENTS = 100
#: Fields of the document without a kind that Omni sets itself.
_OWN_FIELDS = (
    "cluster.acceptedCAs",
    "cluster.aescbcEncryptionSecret",
    "cluster.ca",
    "cluster.clusterName",
    "cluster.controlPlane.endpoint",
    "cluster.id",
    "cluster.secret",
    "cluster.secretboxEncryptionSecret",
    "cluster.serviceAccount",
    "cluster.token",
    "machine.acceptedCAs",
    "machine.ca",
    "machine.install.disk",
    "machine.install.extensions",
    "machine.token",
    "machine.type",
)
_ADMIN = "os:admin"
_ROLES = "machine.features.kubernetesTalosAPIAccess.allowedRoles"
#: Documents of Talos 1.14 that hold what Omni sets itself.
_OWN_KINDS = frozenset(
    {
        "DiscoveryIdentityConfig",
        "KubeAPIServerCAConfig",
        "KubeAggregatorCAConfig",
        "KubeClusterConfig",
        "KubeEtcdEncryptionConfig",
        "UnattendedInstallConfig",
    }
)
#: Kind of such a document → its fields that Omni sets itself; → the field that lists roles.
_OWN_FIELDS_OF: Mapping[str, tuple[str, ...]] = {"KubeServiceAccountConfig": ("issuer.privateKey",)}
_ROLES_OF = {"KubeTalosAPIAccessConfig": "allowedRoles"}


def faults_of(inline: Inline) -> Iterator[str]:
    """Yield what Omni does not take in a patch."""
    try:
        documents = documents_of(inline)
    except BadValue as error:
        yield str(error)
        return
    if not any(documents):
        yield "There is no document in the patch."
    for document in documents:
        yield from _faults_of_document(document)


def documents_of(inline: Inline) -> list[dict[str, Any]]:
    """Return the documents of a patch. Raises :class:`BadValue` for a text that has no such documents."""
    if isinstance(inline, dict):
        return [inline]
    if isinstance(inline, list):
        return inline
    try:
        found = [plain_values(of_yaml(node)) for node in yaml_nodes(inline, most=_MOST_DOCUMENTS)]
    except yaml.MarkedYAMLError as error:
        line = f" at its line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadValue(f"The patch is no YAML{line}: {error.problem}.") from error
    except Problem as error:
        raise BadValue(str(error.detail)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadValue("The patch is no YAML.") from error
    if not all(isinstance(document, dict) or document is None for document in found):
        raise BadValue("A document of a patch is a mapping.")
    return [document or {} for document in found]


def _faults_of_document(document: Mapping[str, Any]) -> Iterator[str]:
    kind = document.get("kind")
    if not isinstance(kind, str):
        fields: tuple[str, ...] = _OWN_FIELDS
        roles = _ROLES
    elif kind in _OWN_KINDS:
        yield f"Omni sets the document {kind} itself."
        return
    else:
        fields, roles = _OWN_FIELDS_OF.get(kind, ()), _ROLES_OF.get(kind, "")
    for field in fields:
        if _has(document, field):
            yield f"Omni sets {field} itself."
    allowed = _at(document, roles) if roles else None
    if isinstance(allowed, list) and _ADMIN in allowed:
        yield f"{roles} may not have {_ADMIN}."


_ABSENT: Any = object()


def _has(document: Mapping[str, Any], field: str) -> bool:
    return _at(document, field) is not _ABSENT


def _at(document: Any, field: str) -> Any:
    for name in field.split("."):
        if not isinstance(document, Mapping) or name not in document:
            return _ABSENT
        document = document[name]
    return document
