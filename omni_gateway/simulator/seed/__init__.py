"""The contents of a new simulator: its first account, the catalogue of versions, and the fleet of machines."""
