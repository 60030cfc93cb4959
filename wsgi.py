"""For ``gunicorn wsgi:app`` in this folder; installed, it is ``omni_gateway.wsgi``."""

from omni_gateway.wsgi import app, settings

__all__ = ["app", "settings"]
