"""Actions on machines: each with the schema of its body, its function and its operation."""
