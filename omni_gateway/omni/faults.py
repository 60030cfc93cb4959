"""What is wrong before any call is made."""

from __future__ import annotations


class ConfigError(ValueError):
    """A setting that cannot work; the text names the setting and never repeats a secret."""
