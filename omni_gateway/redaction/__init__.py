"""Detection of secrets, and their replacement by ``***``."""
