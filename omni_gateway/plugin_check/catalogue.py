"""All rules, by grade."""

from __future__ import annotations

from omni_gateway.plugin_check.rule import Rule
from omni_gateway.plugin_check.rules import adapter, code, declaration, distribution, schema, texts

RULES: tuple[Rule, ...] = (
    # Bronze
    declaration.loads,
    distribution.entry_point_group,
    declaration.sdk_range,
    declaration.plugin_name,
    adapter.adapter_instance,
    adapter.adapter_methods,
    adapter.omni_type,
    schema.schema_envelope,
    schema.schema_fields,
    schema.schema_field_types,
    schema.example_loads,
    schema.secret_fields,
    declaration.roles_ordered,
    declaration.functions,
    adapter.filters_used,
    adapter.sort_keys,
    code.private_imports,
    code.app_hooks,
    code.secrets_logged,
    # Silver
    declaration.entry_point_name,
    declaration.kebab_case,
    declaration.group_known,
    declaration.arguments_used,
    declaration.sub_collections,
    schema.example_given,
    texts.plugin_description,
    texts.write_texts,
    texts.operation_texts,
    texts.field_descriptions,
    texts.field_examples,
    distribution.licence,
    distribution.version,
    distribution.readme,
    # Gold
    declaration.sdk_range_named,
    distribution.requires_gateway,
    adapter.watch_source,
    adapter.cache_declared,
    code.import_effects,
    code.module_state,
    code.adapter_state,
    code.version_from_clock,
    code.time_limits,
    code.no_print,
    # Platinum
    distribution.conformance_tests,
    distribution.changelog,
    distribution.typed,
    code.type_annotations,
)
