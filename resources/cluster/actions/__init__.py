"""Actions on clusters: each with the schema of its body, its function and its operation."""
