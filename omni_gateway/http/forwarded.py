"""The caller's address, scheme and host behind reverse proxies, from their ``X-Forwarded-*`` headers."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def init_app(app: Flask, proxies: int) -> None:
    """Trust the ``X-Forwarded-For``, ``-Proto`` and ``-Host`` of that number of proxies; 0: ignore these headers."""
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
