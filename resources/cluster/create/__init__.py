"""A POST of a cluster: the Cluster, its machine sets, their nodes and patches; all of them, or nothing."""
