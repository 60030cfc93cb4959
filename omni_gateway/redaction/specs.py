"""Redaction of specs whose type has no schema: secrets are masked in responses, and restored in requests.

Schemas of plugins declare their secret fields. Here secrets are found by the members' names, and join tokens in every
text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omni_gateway.redaction.configuration import MASK, mask_tokens

_SECRET_NAME = re.compile(r"(?i)(secret|password|token|private_?key|api_?key|access_?key(_?id)?|encryption_?key)$")
#: Secret members by type, where the name alone does not show it.
_SECRET_MEMBERS: Mapping[str, frozenset[str]] = {
    "ImportedClusterSecrets.omni.sidero.dev": frozenset({"data"}),
    "SAMLAssertions.omni.sidero.dev": frozenset({"data"}),
    "TalosConfigs.omni.sidero.dev": frozenset({"key"}),
    "Kubeconfigs.omni.sidero.dev": frozenset({"data"}),
    "DefaultJoinTokens.omni.sidero.dev": frozenset({"token_id"}),
    "JoinTokenUsages.omni.sidero.dev": frozenset({"token_id"}),
    "ClusterSecrets.omni.sidero.dev": frozenset({"data", "key"}),
    "ClusterMachineSecrets.omni.sidero.dev": frozenset({"data"}),
    "ClusterMachineConfigs.omni.sidero.dev": frozenset({"data", "compressed_data"}),
    "ClusterMachineEncryptionKeys.omni.sidero.dev": frozenset({"data"}),
    "BackupDatas.omni.sidero.dev": frozenset({"encryption_key"}),
}


def names_secret(type: str, name: str) -> bool:
    """Return whether the value of a member of a type is a secret, by its name."""
    return bool(_SECRET_NAME.search(name)) or name in _SECRET_MEMBERS.get(type, ())


def redact(type: str, value: Any, name: str = "") -> Any:
    """Return a spec (or a part of one, the value of the member ``name``) with its secrets masked."""
    if isinstance(value, Mapping):
        return {key: redact(type, item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(type, item, name) for item in value]
    if not isinstance(value, str) or not value:
        return value
    secret = names_secret(type, name)
    return MASK if secret else mask_tokens(value)


def restore(type: str, wanted: Any, existing: Any, name: str = "") -> Any:
    """Return ``wanted`` with secrets restored: a value equal to the redacted existing one becomes the existing one.

    So a caller can send back an object as it read it.
    """
    if isinstance(wanted, Mapping):
        before = existing if isinstance(existing, Mapping) else {}
        return {key: restore(type, item, before.get(key), key) for key, item in wanted.items()}
    if isinstance(wanted, list):
        items = existing if isinstance(existing, list) else []
        padded = [*items, *[None] * (len(wanted) - len(items))]
        return [restore(type, item, before, name) for item, before in zip(wanted, padded, strict=False)]
    if isinstance(wanted, str) and isinstance(existing, str) and wanted == redact(type, existing, name):
        return existing
    return wanted


def masked_members(value: Any, path: str = "spec") -> list[str]:
    """Return the paths at which a spec to be written still has a mask: there was no existing secret to restore."""
    if isinstance(value, Mapping):
        return [found for key, item in value.items() for found in masked_members(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in masked_members(item, f"{path}.{at}")]
    return [path] if value == MASK else []
