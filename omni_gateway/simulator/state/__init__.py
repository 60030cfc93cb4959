"""The state: resources in memory and on disk, their changes, and snapshots for stale reads."""
