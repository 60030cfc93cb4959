"""The objects of every Omni type in one form, also of types without a plugin: schemas, adapters, names of types."""
