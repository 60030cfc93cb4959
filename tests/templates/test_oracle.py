"""Templates against omnictl: the same verdict, the same objects in the same order, the same text of each patch."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.templates import Template, TemplateFaults, read, read_documents, render
from tests.templates import case as cases
from tests.templates import generated, handmade
from tests.templates.capture import without_zeros
from tests.templates.case import Captured

CAPTURED = list(cases.read())
ACCEPTED = [each for each in CAPTURED if each.resources is not None]
#: What omnictl refuses and the gateway takes, with the reason.
DIFFERENCES = {
    "handmade-patch-of-no-field-of-talos": "whether Talos has a field is for Omni to say, which knows the versions",
    "handmade-question-mark-within-braces": "omnictl's YAML library takes it for a key, against YAML 1.2",
}
REFUSED = [each for each in CAPTURED if each.resources is None and each.case.name not in DIFFERENCES]

of_each = pytest.mark.parametrize("captured", ACCEPTED, ids=lambda captured: captured.case.name)


def template_of(captured: Captured) -> Template:
    return read(captured.case.text, {name: text.encode() for name, text in captured.case.files.items()})


def rendered(template: Template) -> list[dict[str, Any]]:
    """Return what matters of the rendered objects, as it was captured."""
    found = [
        {
            "type": str(each.type),
            "id": each.id,
            "labels": each.labels,
            "annotations": each.annotations,
            "spec": without_zeros(each.spec),
        }
        for each in render(template)
    ]
    return [{name: value for name, value in each.items() if value} for each in found]


def test_what_was_captured_is_of_the_present_templates() -> None:
    assert [each.case for each in CAPTURED] == [*generated.cases(), *handmade.cases()]


@of_each
def test_a_template_is_rendered_as_omnictl_does(captured: Captured) -> None:
    assert rendered(template_of(captured)) == captured.resources


@pytest.mark.parametrize("captured", REFUSED, ids=lambda captured: captured.case.name)
def test_a_template_that_omnictl_refuses_is_refused(captured: Captured) -> None:
    with pytest.raises(TemplateFaults):
        template_of(captured)


@pytest.mark.parametrize(
    "captured", [each for each in CAPTURED if each.case.name in DIFFERENCES], ids=lambda captured: captured.case.name
)
def test_a_template_that_only_omnictl_refuses_is_taken(captured: Captured) -> None:
    assert captured.resources is None
    assert template_of(captured).name == "one"


@of_each
def test_the_documents_of_a_template_read_again_are_the_same_template(captured: Captured) -> None:
    template = template_of(captured)

    assert read_documents(template.to_documents()) == template
