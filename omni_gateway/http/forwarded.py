"""Who really asks, when proxies stand between: their headers are believed as far as the operator says."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def init_app(app: Flask, proxies: int) -> None:
    """Believe what so many proxies wrote into ``X-Forwarded-For``, ``-Proto`` and ``-Host``; 0: nothing."""
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
