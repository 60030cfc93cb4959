"""Look at everything before anything is written: what each document says, what is there, what may be done."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, cast

from omni_gateway.api.any_type.catalogue import Catalogue
from omni_gateway.api.any_type.kinds import GenericAdapter, Kind, role_for
from omni_gateway.api.any_type.planned_objects import with_planned
from omni_gateway.api.apply.documents import loaded, named, read
from omni_gateway.api.apply.order import needs, rank
from omni_gateway.api.apply.outcomes import Outcome
from omni_gateway.http import mergepatch
from omni_gateway.http.guard import check_role
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniError
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import ScopedAdapter, unscoped
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.update import checked

#: From so many objects of one type on, one list costs less than a read of each.
LIST_FROM = 20


class Plan:
    """The documents of one request, read and held against Omni; nothing here writes."""

    def __init__(
        self, gateway: Gateway, catalogue: Catalogue, raw: Sequence[Any], *, dry_run: bool = False, atomic: bool = False
    ) -> None:
        """Read and check every document; what cannot be applied has failed, or is skipped, already."""
        self.gateway = gateway
        self.catalogue = catalogue
        self.kinds: dict[str, Kind] = {}
        self.outcomes = [self._read(index, document) for index, document in enumerate(raw)]
        self._refuse_twins()
        self._keys = {outcome.document.key for outcome in self.outcomes if outcome.document}
        self._look_up()
        self._planned: dict[tuple[str, str], Resource] = {}
        self._checks_through = with_planned(gateway.omni, self._planned)
        #: Omni answers a single write itself; a dry run, and a request of all or nothing, must know before.
        self._predict = dry_run or atomic
        lost = Lost(self.outcomes)
        for outcome in self.pending():
            if not lost.skips(outcome):
                self._judge(outcome)
            lost.add(outcome)
        if atomic and any(outcome.problem for outcome in self.outcomes):
            for outcome in self.pending():
                outcome.action = "not-written"

    def pending(self) -> list[Outcome]:
        """Return what is still to be done, in the order that Omni needs; the caller's among objects of one type."""
        left = [outcome for outcome in self.outcomes if outcome.problem is None]
        return sorted(left, key=self._place)

    def _place(self, outcome: Outcome) -> float:
        """Return when a document's turn is: that of its type, and not before what it needs of the same request."""
        assert outcome.document is not None
        needed = needs(outcome.document) & self._keys
        return max([rank(outcome.type), *(rank(type) + 0.5 for type, _ in needed)])

    def adapter(self, outcome: Outcome) -> ResourceAdapter:
        """Return what writes the outcome's object."""
        return self.gateway.bound(self.kinds[outcome.type].adapter)

    def diff(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Return what a document changes, as RFC 6902 operations, secrets masked."""
        assert outcome.after is not None
        shown = self.kinds[outcome.type].representation.writable
        before = shown(outcome.before) if outcome.before else {}
        return mergepatch.diff(before, shown(outcome.after))

    def _read(self, index: int, raw: Any) -> Outcome:
        type, id = named(raw)
        outcome = Outcome(index, type, id)
        try:
            document = loaded(raw)
            kind = self.catalogue.find(document["metadata"]["type"])
            outcome.type = kind.type
            self.kinds[kind.type] = kind
            outcome.document = read(index, document, kind.schema, kind.adapter.namespace)
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
        document, before = outcome.document, outcome.before
        assert document is not None
        try:
            check_role(role_for(self.gateway, outcome.type, "replace" if before else "create"), authorized_by_omni=True)
            adapter = self._checking(outcome)
            if before is None:
                outcome.after, outcome.action = document.wanted, "created"
                adapter.check(outcome.after, None, {})
                if self._predict:
                    adapter.foresee(outcome.after, None)
            else:
                if before.tearing_down:
                    raise Problem(409, "tearing-down", f"{outcome.id!r} is being removed and takes no writes.")
                outcome.after = checked(adapter, before, document.over(before))
                outcome.action = "unchanged" if outcome.after is before else "updated"
                if self._predict and outcome.action == "updated":
                    adapter.foresee(outcome.after, before)
            self._planned[document.key] = outcome.after
        except Problem as problem:
            outcome.fail(problem)
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _checking(self, outcome: Outcome) -> ResourceAdapter:
        """Return the adapter for checks: it finds what the documents before this one create."""
        bound = self.adapter(outcome)
        inner = copy.copy(cast(GenericAdapter, unscoped(bound)))
        inner.checks_through = self._checks_through
        return ScopedAdapter(inner, bound.scope) if isinstance(bound, ScopedAdapter) else inner


class Lost:
    """The objects that are not applied, and so what needs them is not either."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._keys = {(outcome.type, outcome.id) for outcome in outcomes if outcome.problem is not None}

    def add(self, outcome: Outcome) -> None:
        """Note an outcome, if it has failed."""
        if outcome.problem is not None:
            self._keys.add((outcome.type, outcome.id))

    def skips(self, outcome: Outcome) -> bool:
        """Skip a document that needs what is lost; returns whether it does."""
        assert outcome.document is not None
        missing = sorted(needs(outcome.document) & self._keys)
        if missing:
            names = ", ".join(f"{type}/{id}" for type, id in missing)
            outcome.fail(Problem(409, "conflict", f"It belongs to {names}, which was not applied."), "skipped")
        return bool(missing)
