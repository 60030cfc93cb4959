"""Routes below the objects of another plugin."""

from omni_gateway.rest.extension import Extension

__all__ = ["Extension"]
