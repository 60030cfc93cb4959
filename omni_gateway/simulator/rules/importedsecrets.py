"""Rules of ImportedClusterSecrets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

import yaml

from omni_gateway.simulator.documents.strict_yaml import child, text_of
from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.documents import documents
from omni_gateway.simulator.state.resource import Resource

_TEXTS = ("cluster.id", "cluster.secret", "secrets.bootstraptoken", "trustdinfo.token")
_ENCRYPTION = ("secrets.secretboxencryptionsecret", "secrets.aescbcencryptionsecret")
_CERTIFICATES = ("etcd", "k8s", "k8saggregator", "os")
_ACCOUNT_KEY = "certs.k8sserviceaccount.key"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check that the cluster is yet to come and that the data is a secrets bundle."""
    if ctx.find(locks.CLUSTER, new.id) is not None:
        yield f"the cluster {new.id!r} already exists"
    found = list(documents(new.spec.get("data") or ""))
    if isinstance(found[0], str):
        yield found[0]
    elif not isinstance(found[0], yaml.MappingNode):
        yield "a secrets bundle is a mapping"
    else:
        yield from _bundle(found[0])


def _bundle(bundle: yaml.Node) -> Iterator[str]:
    """Yield the missing parts of a secrets bundle; certificates and keys must be PEM, which is all that is checked."""
    yield from (f"the secrets bundle has no {path}" for path in _TEXTS if not _at(bundle, path))
    if len([path for path in _ENCRYPTION if _at(bundle, path)]) != 1:
        yield f"the secrets bundle has either {' or '.join(_ENCRYPTION)}"
    pems = {f"certs.{name}.crt": "CERTIFICATE" for name in _CERTIFICATES}
    pems |= {f"certs.{name}.key": "PRIVATE KEY" for name in _CERTIFICATES} | {_ACCOUNT_KEY: "PRIVATE KEY"}
    for path, what in pems.items():
        if not re.search(rf"-----BEGIN [A-Z0-9 ]*{what}-----", _decoded(_at(bundle, path))):
            yield f"{path} is no {what.lower()} in base64"


def _at(bundle: yaml.Node, path: str) -> str:
    node: yaml.Node | None = bundle
    for name in path.split("."):
        node = child(node, name)
    return text_of(node)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("ascii", "replace")
    except (binascii.Error, ValueError):
        return ""


RULES = Rules("ImportedClusterSecrets.omni.sidero.dev", create)
