"""The built-in resources: one package each, with the same interface as third-party resources."""
