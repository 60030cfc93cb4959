"""``make bench``: what the gateway adds to Omni, as ratios taken in one run."""
