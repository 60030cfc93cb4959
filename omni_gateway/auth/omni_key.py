"""Pass-through: the caller's own Omni service-account key is the credential, and calls to Omni are signed with it.

Omni's roles and access policies then authorize each call. The gateway itself uses the principal only for what is its
own: tokens, OIDC providers, the audit log, rate limits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from omni_gateway.auth.authenticator import Rejected
from omni_gateway.auth.principal import MethodName, Principal, Role
from omni_gateway.lru import LRUCache
from omni_gateway.omni import ConfigError, KeySigner, OmniClient, parse_key
from omni_gateway.omni.errors import CredentialRefused
from omni_gateway.omni.types import CURRENT_USERS

CACHE_SIZE = 512
#: How long a role read from Omni is used for the gateway's own routes; Omni itself checks the key on every call.
FRESH_SECONDS = 10.0
#: Base64 of ``{"``: the start of every key, and of no token of the gateway.
_PREFIX = "eyJ"
_SHORTEST = 200

#: Omni's roles that include one of the gateway's; its others (None, InfraProvider) have none here.
ROLES: Mapping[str, Role] = {
    "Reader": Role.READER,
    "Auditor": Role.READER,
    "Operator": Role.OPERATOR,
    "Admin": Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float


class OmniKeyMethod:
    """Accepts the value of an ``OMNI_SERVICE_ACCOUNT_KEY`` and reads its account from Omni.

    Parsed keys are cached by their SHA-256 (LRU); a key is never written to disk or to a log.
    """

    name: MethodName = "omni-key"

    def __init__(self, omni: OmniClient) -> None:
        """``omni``: a client whose connection is used, but not its identity."""
        self._omni = omni
        self._known: LRUCache[bytes, _Known] = LRUCache(CACHE_SIZE)

    def recognises(self, credential: str) -> bool:
        """Return whether a credential looks like base64 of a JSON object; a JWT does too, but has dots."""
        return credential.startswith(_PREFIX) and "." not in credential and len(credential) >= _SHORTEST

    def authenticate(self, credential: str) -> Principal:
        """Return the principal of the key's account.

        Raises :class:`Rejected` if the key is malformed or Omni refuses it, ``OmniError`` if the call fails otherwise.
        """
        digest = hashlib.sha256(credential.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is not None and known.until > time.monotonic():
            return known.principal
        client = known.principal.omni if known else None
        principal = _read_account(client or self._client(credential))
        self._known.put(digest, _Known(principal, time.monotonic() + FRESH_SECONDS))
        return principal

    def _client(self, credential: str) -> OmniClient:
        try:
            key = parse_key(credential, variable="the credential")
        except ConfigError as error:
            raise Rejected(str(error)) from None
        return self._omni.acting_as(KeySigner(key))


def _read_account(client: OmniClient) -> Principal:
    key = client.identity
    try:
        items = client.resources.list(CURRENT_USERS).items
    except CredentialRefused:
        raise Rejected("Omni does not accept this key: it is unknown, expired or revoked.") from None
    spec = (items[0].get("spec") or {}) if items else {}
    return Principal(
        str(spec.get("identity") or key.name),
        ROLES.get(str(spec.get("role", ""))),
        f"omni-key:{key.fingerprint}",
        "omni-key",
        expires=key.expires,
        omni=client,
    )
