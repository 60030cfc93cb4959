"""What a secret looks like, and what is shown in its place."""
