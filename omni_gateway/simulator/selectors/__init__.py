"""Parsers of selectors: Omni's label selectors, and CEL expressions over disks."""
