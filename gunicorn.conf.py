"""What ``gunicorn wsgi:app`` takes from the gateway's settings; options on its command line win."""

from omni_gateway.serving import gunicorn_options
from omni_gateway.settings import Settings

_options = gunicorn_options("", Settings.load())
globals().update({name: value for name, value in _options.items() if name != "bind"})
