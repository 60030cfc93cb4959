"""For commands that a plugin adds to the command line."""

from omni_gateway.command_omni import omni_client

__all__ = ["omni_client"]
