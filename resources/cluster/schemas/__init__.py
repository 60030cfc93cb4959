"""The schemas of clusters and of what is read below them."""
