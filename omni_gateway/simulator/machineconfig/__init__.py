"""Talos machine configurations: their schema, the check of a patch, and the configuration of a machine."""
