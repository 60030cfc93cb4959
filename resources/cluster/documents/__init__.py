"""Documents that are computed of a cluster: its metrics, its kubeconfig and the like."""
