"""Omni's wire format: the catalogue of types, specs as JSON, whole objects, and the options of a list."""
