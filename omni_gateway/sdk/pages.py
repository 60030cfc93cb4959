"""Pages of a plugin for people."""

from omni_gateway.rest.plugin_pages import Page

__all__ = ["Page"]
