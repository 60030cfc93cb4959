"""Predictions of Omni's validation errors, for dry runs: Omni has no dry run of its own.

A real write is validated by Omni alone, so a rule that a newer Omni has dropped only makes the dry run too strict. The
rules follow an Omni of August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, messages, types
from omni_gateway.rest.predictions import access, clusters, contents, machines, members
from omni_gateway.rest.predictions.rule import Rule, Write

_RULES: Mapping[str, Rule] = {
    types.ACCESS_POLICIES: access.policy,
    types.CLUSTERS: clusters.cluster,
    types.CONFIG_PATCHES: contents.config_patch,
    types.DEFAULT_JOIN_TOKENS: access.default_join_token,
    types.ETCD_MANUAL_BACKUPS: clusters.manual_backup,
    types.EULA_ACCEPTANCES: access.eula,
    types.EXTENSIONS_CONFIGURATIONS: machines.extensions_configuration,
    types.IMPORTED_CLUSTER_SECRETS: contents.imported_secrets,
    types.INFRA_MACHINE_CONFIGS: machines.infra_machine_config,
    types.INFRA_PROVIDERS: machines.infra_provider,
    types.INSTALLATION_MEDIA_CONFIGS: machines.installation_media,
    types.JOIN_TOKENS: access.join_token,
    types.KERNEL_ARGS: machines.kernel_args,
    types.KUBERNETES_HEALTH_CHECKS: contents.health_check,
    types.KUBERNETES_MANIFEST_GROUPS: contents.manifest_group,
    types.MACHINE_CLASSES: machines.machine_class,
    types.MACHINE_INSTALL_DISK_CONFIGS: contents.install_disk,
    types.MACHINE_REQUESTS: machines.machine_request,
    types.MACHINE_REQUEST_SETS: machines.machine_request_set,
    types.MACHINE_SETS: members.machine_set,
    types.MACHINE_SET_NODES: members.machine_set_node,
    types.NODE_FORCE_DESTROY_REQUESTS: machines.force_destroy,
    types.ROTATE_KUBERNETES_CAS: clusters.rotation,
    types.ROTATE_TALOS_CAS: clusters.rotation,
    types.SAML_LABEL_RULES: access.saml_rule,
}


def refuse_verb(type: str, verb: str, *, hint: str | None = None) -> None:
    """Raise the 403 with which Omni would refuse a type's ``create``, ``update`` or ``destroy`` to all callers."""
    if verb in messages.refused_verbs(type):
        raise Problem(403, "omni-forbidden", f"Omni lets no user {verb} {type}.", hint=hint)


def refuse_predicted(omni: OmniClient, resource: Resource, existing: Resource | None) -> None:
    """Raise the 422 with which Omni would reject a write; ``existing`` is None for a create."""
    rule = _RULES.get(resource.type)
    problems = [] if rule is None else list(rule(Write(omni, resource, existing)))
    if problems:
        text = problems[0] if len(problems) == 1 else "\n".join(f"- {problem}" for problem in problems)
        raise Problem(422, "refused-by-omni", text)
