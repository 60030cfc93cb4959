"""The schemas of clusters and of their sub-resources."""
