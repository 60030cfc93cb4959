"""Cluster templates: the format that omnictl and those who automate clusters use, read, checked and rendered.

Nothing here does I/O: a template is a text and the files that it names, and what is rendered are Omni's objects.
"""

from omni_gateway.templates.durations import Duration
from omni_gateway.templates.export import (
    TYPES_BY_LABEL,
    TYPES_BY_MACHINE,
    Export,
    export,
    is_exported,
    is_same,
)
from omni_gateway.templates.faults import Fault, TemplateFaults
from omni_gateway.templates.model import (
    UNLIMITED,
    BackupConfiguration,
    BootstrapSpec,
    Cluster,
    ControlPlane,
    Document,
    Features,
    HealthCheck,
    Inline,
    Install,
    Kubernetes,
    Machine,
    MachineClass,
    MachineSet,
    Manifest,
    ManifestMode,
    Patch,
    Rolling,
    Size,
    Strategy,
    StrategyType,
    Talos,
    Template,
    Workers,
)
from omni_gateway.templates.reader import read, read_documents
from omni_gateway.templates.render import ANNOTATION_MANAGED, render, rendered

__all__ = [
    "ANNOTATION_MANAGED",
    "TYPES_BY_LABEL",
    "TYPES_BY_MACHINE",
    "UNLIMITED",
    "BackupConfiguration",
    "BootstrapSpec",
    "Cluster",
    "ControlPlane",
    "Document",
    "Duration",
    "Export",
    "Fault",
    "Features",
    "HealthCheck",
    "Inline",
    "Install",
    "Kubernetes",
    "Machine",
    "MachineClass",
    "MachineSet",
    "Manifest",
    "ManifestMode",
    "Patch",
    "Rolling",
    "Size",
    "Strategy",
    "StrategyType",
    "Talos",
    "Template",
    "TemplateFaults",
    "Workers",
    "export",
    "is_exported",
    "is_same",
    "read",
    "read_documents",
    "render",
    "rendered",
]
