"""The Kubernetes API of a cluster, as far as Omni's proxy shows it: Services, and the tokens for it."""
