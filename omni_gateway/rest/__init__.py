"""The REST layer: turns plugin declarations into HTTP resources."""
