"""Print what it takes to know a caller by a token or a JWT: ``python -m benchmarks.authentication``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from benchmarks.measure import interleaved
from omni_gateway.auth import Authenticator, TokenMethod
from omni_gateway.auth.oidc import OidcMethod, Providers
from omni_gateway.auth.oidc.keys import key_set
from omni_gateway.store import Store

ISSUER = "https://login.example.com"
ROUNDS = 3000


def main() -> None:
    """Measure and print: microseconds, medians and 95th percentiles."""
    with TemporaryDirectory() as state:
        store = Store(f"sqlite:///{Path(state) / 'gateway.sqlite'}")
        keys: dict[str, Key] = {"RS256": RSAKey.generate_key(2048), "ES256": ECKey.generate_key("P-256")}
        spec = {"issuer_url": ISSUER, "client_id": "gateway", "enabled": True, "role_claim": "role", "role_mapping": {}}
        store.documents.create("oidc/providers", "bench", spec, {}, {})
        secret = store.tokens.create("bench", "reader", None)[1]
        known = key_set({"keys": [key.as_dict(private=False) for key in keys.values()]})
        method = OidcMethod(Providers(store.documents), lambda issuer: known)
        seen = next(tokens(keys["RS256"], "RS256"))
        door = Authenticator([method, TokenMethod(store.tokens)])
        calls: dict[str, Callable[[], object]] = {
            "gateway's token, seen before": lambda: door.authenticate(secret),
            "JWT, seen before": lambda: door.authenticate(seen),
        }
        for algorithm, key in keys.items():
            fresh = tokens(key, algorithm)
            ready = [next(fresh) for _ in range(ROUNDS + 5)]
            calls[f"JWT, {algorithm}, verified"] = lambda ready=ready: door.authenticate(ready.pop())  # type: ignore[misc]
        for name, timing in interleaved(calls, ROUNDS).items():
            print(f"{name:32} {timing.p50 * 1e6:7.1f} µs  p95 {timing.p95 * 1e6:7.1f} µs")


def tokens(key: Key, algorithm: str) -> Iterator[str]:
    """Make tokens of one key, each of its own."""
    now, number = int(time.time()), 0
    while True:
        number += 1
        claims = {"iss": ISSUER, "aud": "gateway", "sub": f"user-{number}", "iat": now, "exp": now + 3600}
        claims |= {"role": "reader", "email": "somebody@example.com", "groups": ["one", "two", "three"]}
        yield jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])


if __name__ == "__main__":
    main()
