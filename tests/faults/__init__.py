"""``make faults``: a gateway while what it depends on is gone, hangs, is slow, locked or full, and when it is back."""
