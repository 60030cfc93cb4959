"""The views that a plugin's declaration turns into: one module per verb."""
