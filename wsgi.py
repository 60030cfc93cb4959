"""For any WSGI server: ``gunicorn wsgi:app`` (OMNI_ENDPOINT and OMNI_SERVICE_ACCOUNT_KEY must be set)."""

from omni_gateway.app import create_app

app = create_app()
