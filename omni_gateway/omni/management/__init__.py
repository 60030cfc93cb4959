"""Omni's ``management.ManagementService``, one method per RPC: operations that are not writes of objects."""

from __future__ import annotations

from omni_gateway.omni.management.access import AccessFiles
from omni_gateway.omni.management.accounts import AccountCalls, ServiceAccount, ServiceAccountKeyInfo, User
from omni_gateway.omni.management.audit import AuditCalls, AuditRecord
from omni_gateway.omni.management.clusters import BundleProgress, ClusterCalls, ManifestSync, PreCheck
from omni_gateway.omni.management.images import BootAsset, ImageCalls, Overlay, Schematic
from omni_gateway.omni.management.machines import JoinConfig, MachineCalls
from omni_gateway.omni.management.validation import SchemaError, ValidationCalls

__all__ = [
    "AuditRecord",
    "BootAsset",
    "BundleProgress",
    "JoinConfig",
    "ManagementClient",
    "ManifestSync",
    "Overlay",
    "PreCheck",
    "SchemaError",
    "Schematic",
    "ServiceAccount",
    "ServiceAccountKeyInfo",
    "User",
]


class ManagementClient(AccessFiles, AccountCalls, AuditCalls, ClusterCalls, ImageCalls, MachineCalls, ValidationCalls):
    """Every RPC of ``management.ManagementService``; each method raises the ``OmniError`` of its failure."""
