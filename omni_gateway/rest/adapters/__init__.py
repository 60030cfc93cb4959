"""What stands between a representation and its back end."""
