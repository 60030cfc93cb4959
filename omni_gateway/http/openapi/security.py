"""Credentials and access in the OpenAPI document: the security scheme, public operations, roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_smorest.spec.plugins import FlaskPlugin

from omni_gateway.http import route_access

#: The key of the security scheme. The ticket of a stream is none: generated clients would send a credential of each
#: scheme, and so the token in the URL.
NAME = "bearer"
BEARER: Mapping[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "token of this gateway, JWT or Omni service account key",
    "description": """\
`Authorization: Bearer <credential>`. `OMNI_GATEWAY_AUTH` says which of these the gateway takes:

- **A token of this gateway** (`ogw_…`). `omni-gateway serve` shows a first admin token when it starts for the first
  time, or takes the one in `OMNI_GATEWAY_BOOTSTRAP_TOKEN`. Further ones, with a role, an end and clusters of your
  choice, come from `POST /api/v1/auth/tokens` or `omni-gateway token create`.
- **A JWT of an OpenID Connect provider** in `/api/v1/oidc/providers`, e.g. the one that a CI job has already. The
  provider's entry says which claim gives which role.
- **An Omni service account key** (the value of `OMNI_SERVICE_ACCOUNT_KEY`). Omni itself decides on each call.

A credential has a role: `reader` reads, `operator` also changes clusters and machines, `admin` also deals with
identities, tokens, providers and the audit. `x-required-role` of an operation is the least role that it takes;
`GET /api/v1/auth/whoami` returns that of a credential.""",
}


def add_access(document: dict[str, Any], app: Flask) -> None:
    """Say of each operation which role it takes, or that it takes no credential, as its view declares."""
    for rule in app.url_map.iter_rules():
        item = document["paths"].get(FlaskPlugin.flaskpath2openapi(rule.rule), {})
        for method in rule.methods or ():
            operation = item.get(method.lower())
            access = route_access.access_of(app, rule, method)
            if operation is None or access is None:
                continue
            if access.role is None:
                operation["security"] = []
            else:
                operation.setdefault("x-required-role", access.role.value)
