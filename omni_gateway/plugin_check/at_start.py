"""The rules that stop the start. They look at the declaration alone; the modules of other rules are not imported."""

from __future__ import annotations

from omni_gateway.plugin_check.outcome import outcome_of
from omni_gateway.plugin_check.rule import Fault, Rule
from omni_gateway.plugin_check.rules import adapter, declaration, schema
from omni_gateway.plugin_check.subject import Subject

AT_START: tuple[Rule, ...] = (
    declaration.sdk_range,
    declaration.plugin_name,
    adapter.adapter_instance,
    adapter.adapter_methods,
    adapter.omni_type,
    schema.schema_envelope,
    schema.schema_fields,
    schema.schema_field_types,
    declaration.functions,
)


def fault_at_start(subject: Subject) -> Fault | None:
    """Return the first fault because of which a plugin cannot work as it is declared; None if there is none."""
    faults = (fault for rule in AT_START for fault in outcome_of(rule, subject).faults if fault.certain)
    return next(faults, None)
