"""An issuer of tokens for what no kept OpenID Connect server does on purpose: rotate, lie, stall, fall over."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"
AUDIENCE = "gateway"

Answer = Callable[[BaseHTTPRequestHandler], None]


@cache
def first_key() -> RSAKey:
    """Return the key that issuers have unless they are given others: making one takes a tenth of a second."""
    return rsa("one")


def rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid})


def ec(kid: str, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, parameters={"kid": kid})


def ed(kid: str, curve: str = "Ed25519") -> OKPKey:
    return OKPKey.generate_key(curve, parameters={"kid": kid})


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class _AnyAlgorithm(jws.JWSRegistry):
    """Signs whatever it is told to: these tokens are there to be refused."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: Any) -> None:
        pass


def signed(header: Mapping[str, Any], payload: Any, key: Key | None) -> str:
    """Sign claims, or bytes that are no claims at all."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    algorithm = _AnyAlgorithm.algorithms[header["alg"]]
    text = f"{segment(dict(header))}.{segment(raw)}"
    return f"{text}.{segment(algorithm.sign(text.encode(), key))}"


@dataclass
class Issuer:
    """A running issuer; ``answers`` replaces what it says at a path."""

    url: str = ""
    keys: list[Key] = field(default_factory=lambda: [first_key()])
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"}

    @property
    def key_set(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return good claims; None leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600, "role": "reader"}
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(
        self, key: Key | None = None, alg: str = "RS256", head: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """Return a token that is good but for what is changed."""
        key = key or self.keys[0]
        header = {"alg": alg, "typ": "JWT", "kid": key.kid, **(head or {})}
        return signed({name: value for name, value in header.items() if value is not None}, self.claims(**changed), key)

    def say(self, path: str, value: Any, status: int = 200) -> None:
        """Answer a path with JSON, or with bytes as they are."""
        self.answers[path] = lambda handler: reply(handler, value, status)


def reply(handler: BaseHTTPRequestHandler, value: Any, status: int = 200, **headers: str) -> None:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    handler.send_response(status)
    for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, text)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def running_issuer(
    *, name: str = "127.0.0.1", tls: ssl.SSLContext | None = None, keys: list[Key] | None = None
) -> Iterator[Issuer]:
    """Serve an issuer on loopback; ``name`` is the host in its URL."""
    issuer = Issuer(keys=list(keys)) if keys is not None else Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            issuer.headers.append(dict(self.headers))
            known: dict[str, Answer] = {
                DISCOVERY: lambda handler: reply(handler, issuer.discovery),
                KEYS: lambda handler: reply(handler, issuer.key_set),
                **issuer.answers,
            }
            with suppress(OSError):  # the other side has had enough
                known.get(self.path, lambda handler: reply(handler, {}, 404))(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    issuer.url = f"{'https' if tls else 'http'}://{name}:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
