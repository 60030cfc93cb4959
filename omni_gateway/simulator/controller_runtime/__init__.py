"""The controller runtime: it turns events of the state into reconciles of the controllers."""
