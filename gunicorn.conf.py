"""For ``gunicorn wsgi:app`` in this folder; installed, it is ``-c python:omni_gateway.gunicorn_config``."""

from omni_gateway import gunicorn_config

globals().update({name: value for name, value in vars(gunicorn_config).items() if not name.startswith("_")})
