"""Resources for omni-gateway."""
