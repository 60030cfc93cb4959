"""Look at everything before anything is written: what each document says, what is there, what may be done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from omni_gateway.http import mergepatch
from omni_gateway.http.guard import demand
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.omni import OmniError
from omni_gateway.routes.applying.documents import Document, loaded, named, resource_of
from omni_gateway.routes.applying.order import needs, rank
from omni_gateway.routes.applying.outcomes import Outcome
from omni_gateway.routes.generic.catalogue import Catalogue
from omni_gateway.routes.generic.kinds import Kind, role_for
from omni_gateway.sdk.adapter import ResourceAdapter
from omni_gateway.sdk.context import Gateway
from omni_gateway.sdk.errors import MISSING
from omni_gateway.sdk.exchange import ListQuery

#: From so many objects of one type on, one list costs less than a read of each.
LIST_FROM = 20


class Plan:
    """The documents of one request, read and held against Omni; nothing here writes."""

    def __init__(self, gateway: Gateway, catalogue: Catalogue, raw: Sequence[Any]) -> None:
        """Read every document; what cannot be read has failed already."""
        self.gateway = gateway
        self.catalogue = catalogue
        self.kinds: dict[str, Kind] = {}
        self.outcomes = [self._read(index, document) for index, document in enumerate(raw)]
        self._refuse_twins()
        self._look_up()
        for outcome in self.pending():
            self._judge(outcome)

    def pending(self) -> list[Outcome]:
        """Return what is still to be done, in the order that Omni needs; the caller's among objects of one type."""
        left = [outcome for outcome in self.outcomes if outcome.problem is None]
        return sorted(left, key=lambda outcome: rank(outcome.type))

    def adapter(self, outcome: Outcome) -> ResourceAdapter:
        """Return what writes the outcome's object."""
        return self.gateway.bound(self.kinds[outcome.type].adapter)

    def check_deeply(self) -> None:
        """Ask the types' own plugins what they think of what has no part that is yet to be made."""
        coming = {outcome.document.key for outcome in self.pending() if outcome.document and outcome.before is None}
        for outcome in self.pending():
            if outcome.document and not needs(outcome.document) & coming and outcome.action != "unchanged":
                self._ask_plugin(outcome, outcome.document)

    def diff(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Return what a document changes, as RFC 6902 operations, secrets masked."""
        assert outcome.document is not None
        shown = self.kinds[outcome.type].representation.writable
        before = shown(outcome.before) if outcome.before else {}
        return mergepatch.diff(before, shown(outcome.document.wanted))

    def _read(self, index: int, raw: Any) -> Outcome:
        type, id = named(raw)
        outcome = Outcome(index, type, id)
        try:
            document = loaded(raw)
            kind = self.catalogue.find(document["metadata"]["type"])
            outcome.type = kind.type
            self.kinds[kind.type] = kind
            schema, namespace = kind.schema, kind.adapter.namespace
            outcome.document = Document(index, resource_of(document, schema, namespace))
        except Problem as problem:
            outcome.fail(problem)
        return outcome

    def _refuse_twins(self) -> None:
        keys = Counter(outcome.document.key for outcome in self.outcomes if outcome.document)
        for outcome in self.outcomes:
            if outcome.document and keys[outcome.document.key] > 1:
                text = "Another document is about the same object."
                outcome.fail(Problem(422, "validation", errors={"metadata.id": [text]}))

    def _look_up(self) -> None:
        """Read what is there already, with as few calls as may be."""
        by_type: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self.pending():
            if self.kinds[outcome.type].adapter.unreadable:
                continue  # made without a look; Omni says if it is there
            by_type[outcome.type].append(outcome)
        for outcomes in by_type.values():
            if len(outcomes) >= LIST_FROM:
                self._look_up_by_list(outcomes)
            else:
                for outcome in outcomes:
                    self._look_up_one(outcome)

    def _look_up_by_list(self, outcomes: Sequence[Outcome]) -> None:
        try:
            held = {item.id: item for item in self.adapter(outcomes[0]).list(ListQuery()).items}
        except OmniError as error:
            for outcome in outcomes:
                outcome.fail(problem_for(error))
            return
        for outcome in outcomes:
            outcome.before = held.get(outcome.id)

    def _look_up_one(self, outcome: Outcome) -> None:
        try:
            outcome.before = self.adapter(outcome).get(outcome.id)
        except MISSING:
            outcome.before = None
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _judge(self, outcome: Outcome) -> None:
        """Decide what is to be done, and refuse what may not be."""
        assert outcome.document is not None
        wanted, before = outcome.document.wanted, outcome.before
        try:
            demand(role_for(self.gateway, outcome.type, "replace" if before else "create"), omni_decides=True)
            self.adapter(outcome).check(wanted, before, {})
            if before is None:
                outcome.action = "created"
                return
            if before.tearing_down:
                raise Problem(409, "tearing-down", f"{outcome.id!r} is being removed and takes no writes.")
            same = (before.spec, before.labels, before.annotations) == (wanted.spec, wanted.labels, wanted.annotations)
            outcome.action = "unchanged" if same else "updated"
            if not same:
                self.adapter(outcome).refuse_owned(before)
        except Problem as problem:
            outcome.fail(problem)
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _ask_plugin(self, outcome: Outcome, document: Document) -> None:
        plugin = self.catalogue.plugin_of(outcome.type)
        if plugin is None:
            return
        adapter = self.gateway.bound(plugin.adapter)
        try:
            adapter.check(document.wanted, outcome.before, {})
        except Problem as problem:
            outcome.fail(problem)
        except OmniError as error:
            outcome.fail(problem_for(error))
