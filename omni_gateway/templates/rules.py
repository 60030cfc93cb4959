"""What a template has to fulfil beyond the types of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omni_gateway.templates.faults import Fault
from omni_gateway.templates.model import Cluster, ControlPlane, Document


def faults_of(documents: Iterable[tuple[int, Document]]) -> Iterator[Fault]:
    """Yield what is wrong with documents, each given with its place; their lines are not known here."""
    found = list(documents)
    for kind in (Cluster, ControlPlane):
        places = [number for number, document in found if isinstance(document, kind)]
        if not places:
            yield Fault(0, None, "", f"There is no document of the kind {kind.kind}.")
        for number in places[1:]:
            yield Fault(number, None, "kind", f"There is another document of the kind {kind.kind}.")
