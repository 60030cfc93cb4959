"""The schemas of machines and of their sub-resources."""
