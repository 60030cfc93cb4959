"""gunicorn's configuration from the gateway's settings: ``gunicorn -c python:omni_gateway.gunicorn_config``.

Options on gunicorn's command line take precedence; the bind address is set only there.
"""

from omni_gateway import logs
from omni_gateway.http import metrics_directory

metrics_directory.prepare()  # before the next import, which imports prometheus_client

from typing import Any  # noqa: E402

from omni_gateway.server import state_lock  # noqa: E402
from omni_gateway.server.application import gunicorn_options  # noqa: E402
from omni_gateway.settings import Settings, SettingsError  # noqa: E402

_settings = Settings.load()
logs.configure(_settings.log_level, _settings.log_format, access=_settings.access_log)
_options = gunicorn_options("", _settings)
globals().update({name: value for name, value in _options.items() if name != "bind"})


def on_starting(server: Any) -> None:
    """Hold the lock of the state directory; called in the master, which ends if another gateway has it."""
    try:
        state_lock.hold(_settings)
    except SettingsError as error:
        raise SystemExit(f"Error: {error}") from error
