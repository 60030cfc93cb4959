"""YAML documents: read within bounds, decoded strictly, and the values of their scalars."""
