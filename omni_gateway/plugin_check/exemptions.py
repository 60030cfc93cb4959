"""The rules that built-in plugins need not keep, each with the reason; there are no others."""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.plugin_check.package import OWN_DISTRIBUTION
from omni_gateway.plugin_check.subject import Subject

#: Rule → plugin (``*``: each) → reason.
EXEMPTIONS: Mapping[str, Mapping[str, str]] = {
    "schema-fields": {
        "schematic-configurations": "`kernel_args` is a member in Omni before 1.9; the tables are those of a later one",
    },
    "sdk-range-named": {"*": "built-in plugins are released with the SDK"},
    "readme": {"*": "the README is about the gateway; its document describes each resource"},
    "conformance-tests": {"*": "the tests of this repository run all built-in plugins together"},
}


def reason_of(rule: str, subject: Subject) -> str:
    """Return why a rule does not apply to a plugin; empty if it does."""
    if subject.package.name != OWN_DISTRIBUTION:
        return ""
    reasons = EXEMPTIONS.get(rule, {})
    return reasons.get(subject.name) or reasons.get("*", "")
