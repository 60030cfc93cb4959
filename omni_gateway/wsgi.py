"""The application for a WSGI server: ``gunicorn -c python:omni_gateway.gunicorn_config omni_gateway.wsgi:app``.

``OMNI_ENDPOINT`` and ``OMNI_SERVICE_ACCOUNT_KEY`` must be set.
"""

from omni_gateway.app import create_app
from omni_gateway.server.unauthenticated_bind import check_exposure
from omni_gateway.settings import Settings

settings = Settings.load()
check_exposure(None, settings)
app = create_app(settings)
