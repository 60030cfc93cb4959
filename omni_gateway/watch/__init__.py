"""Watches: changes of objects as bytes for many readers, each change encoded once."""
