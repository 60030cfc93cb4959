"""``ResourceConformance``: the HTTP contract as inherited tests of a plugin."""

from __future__ import annotations

from omni_gateway.testing.case import Case
from omni_gateway.testing.checks.access import AccessChecks
from omni_gateway.testing.checks.audit import AuditChecks
from omni_gateway.testing.checks.bulk import BulkChecks
from omni_gateway.testing.checks.caching import CachingChecks
from omni_gateway.testing.checks.clusters import ClusterChecks
from omni_gateway.testing.checks.creates import CreateChecks
from omni_gateway.testing.checks.deletes import DeleteChecks
from omni_gateway.testing.checks.document import DocumentChecks
from omni_gateway.testing.checks.dry_runs import DryRunChecks
from omni_gateway.testing.checks.idempotency import IdempotencyChecks
from omni_gateway.testing.checks.ids import IdChecks
from omni_gateway.testing.checks.lists import ListChecks
from omni_gateway.testing.checks.members import MemberChecks
from omni_gateway.testing.checks.patches import PatchChecks
from omni_gateway.testing.checks.preconditions import PreconditionChecks
from omni_gateway.testing.checks.problems import ProblemChecks
from omni_gateway.testing.checks.reads import ReadChecks
from omni_gateway.testing.checks.replaces import ReplaceChecks
from omni_gateway.testing.checks.routes import RouteChecks
from omni_gateway.testing.checks.secrets import SecretChecks
from omni_gateway.testing.checks.watches import WatchChecks
from omni_gateway.testing.checks.workers import WorkerChecks


class ResourceConformance(
    Case,
    AccessChecks,
    ClusterChecks,
    ListChecks,
    ReadChecks,
    CachingChecks,
    CreateChecks,
    IdempotencyChecks,
    ReplaceChecks,
    PatchChecks,
    MemberChecks,
    DeleteChecks,
    BulkChecks,
    DryRunChecks,
    PreconditionChecks,
    WatchChecks,
    ProblemChecks,
    IdChecks,
    DocumentChecks,
    RouteChecks,
    AuditChecks,
    SecretChecks,
    WorkerChecks,
):
    """The promises of the HTTP contract, a test each, for the plugin of a subclass.

    A subclass gives the plugin and two example bodies; checks that do not apply to the plugin are not collected, and
    the end of the test run names their number and the reasons.
    """
