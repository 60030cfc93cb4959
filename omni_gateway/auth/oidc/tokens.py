"""Parsing and verification of a JWT (RFC 7519), by the recommendations of RFC 8725."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from omni_gateway import strict_json
from omni_gateway.auth.authenticator import Rejected
from omni_gateway.auth.oidc.keys import ALLOWED, LONGEST_KID, VerifyingKey
from omni_gateway.auth.oidc.providers import Provider

LONGEST = 16 * 1024
LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0 §2."""
DEEPEST = 16
LEEWAY_SECONDS = 30
MOST_TRIES = 8
"""The number of keys that a token without a ``kid`` is verified with."""

#: Three parts (five in an encrypted token) of base64url, the first of which starts like a JSON object.
_FORM = re.compile(r"e[yw][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){2}(?:(?:\.[A-Za-z0-9_-]*){2})?")
#: ID tokens and access tokens (RFC 9068). Checked, for logout tokens and proofs of possession have the same signer.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class _Registry(JWSRegistry):
    """joserfc's rules with the gateway's algorithms and size limits; unknown headers are allowed unless critical."""

    max_header_length = 4096
    max_payload_length = LONGEST
    max_signature_length = 1400

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]  # `read` has checked that it is an allowed one


_REGISTRY = _Registry(algorithms=sorted(ALLOWED), strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A parsed token whose signature and claims are not verified yet."""

    kid: str | None
    algorithm: str
    claims: Mapping[str, Any] = field(repr=False)
    signature: CompactSignature = field(repr=False)


def is_jwt(credential: str) -> bool:
    """Return whether a credential has the form of a JWT."""
    return _FORM.fullmatch(credential) is not None


def read(credential: str) -> Unverified:
    """Parse a token; raise :class:`Rejected` if it is ambiguous, or has an algorithm, type or header not accepted.

    Keys that the header contains or points to (``jwk``, ``jku``, ``x5c``, ``x5u``) are ignored.
    """
    if len(credential) > LONGEST:
        raise Rejected(f"The token is longer than {LONGEST} characters.")
    if credential.count(".") != 2:
        raise Rejected("The token is encrypted; only signed ones are accepted.")
    header, payload, _ = credential.encode("ascii").split(b".")
    head, claims = _object(header), _object(payload)
    algorithm, kid, kind = head.get("alg"), head.get("kid"), head.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALLOWED:
        raise Rejected("The token's algorithm is not accepted.")
    if "crit" in head or "b64" in head:
        raise Rejected("The token has a critical header that is not supported.")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= LONGEST_KID):
        raise Rejected("The token's key id is not a string, or too long.")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Rejected("The token's type is neither that of an ID token nor that of an access token.")
    try:
        return Unverified(kid, algorithm, claims, extract_compact(credential.encode("ascii"), registry=_REGISTRY))
    except (JoseError, ValueError) as error:
        raise Rejected("The token cannot be read.") from error


def _object(part: bytes) -> Mapping[str, Any]:
    try:
        value = strict_json.parse(urlsafe_b64decode(part), max_depth=DEEPEST)
    except ValueError as error:
        raise Rejected("The token's JSON cannot be read: it is invalid or ambiguous.") from error
    if not isinstance(value, dict):
        raise Rejected("The token cannot be read.")
    return value


def is_signed_by(token: Unverified, keys: Sequence[VerifyingKey]) -> bool:
    """Return whether one of the keys verifies the token's signature."""
    for key in keys[:MOST_TRIES]:
        try:
            if validate_compact(token.signature, key.key, registry=_REGISTRY):
                return True
        except (JoseError, ValueError, TypeError):
            continue
    return False


def check_claims(token: Unverified, provider: Provider, now: float) -> None:
    """Check a verified token's claims against its provider; raise :class:`Rejected` with the first invalid claim."""
    rules = JWTClaimsRegistry(
        now=int(now),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        rules.validate(dict(token.claims))
    except JoseError as error:
        raise Rejected(f"{error.description.rstrip('.')}.") from error
    subject = token.claims["sub"]
    if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise Rejected("Invalid claim: 'sub'.")
