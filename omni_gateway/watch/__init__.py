"""Watches: from changes of objects to bytes for many readers."""
