"""Rules of clusters that several resources share."""

from omni_gateway.rest import cluster_lock, install_disks, member_waits, quorum, relations, talos_fit

__all__ = [
    "cluster_lock",
    "install_disks",
    "member_waits",
    "quorum",
    "relations",
    "talos_fit",
]
