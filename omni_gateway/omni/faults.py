"""The error of an invalid configuration."""

from __future__ import annotations


class ConfigError(ValueError):
    """A setting that cannot work; the text names the setting and never repeats a secret."""
