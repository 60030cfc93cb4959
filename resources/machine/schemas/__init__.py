"""The schemas of machines and of what is read below them."""
