"""The plan of an apply: all objects are validated, looked up and checked before the first write."""

from __future__ import annotations

import copy
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, cast

from omni_gateway.http import mergepatch
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniError
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import ScopedAdapter, unscoped
from omni_gateway.rest.any_type.catalogue import Catalogue
from omni_gateway.rest.any_type.kinds import GenericAdapter, Kind
from omni_gateway.rest.any_type.planned_objects import with_planned
from omni_gateway.rest.apply.documents import loaded, named, read
from omni_gateway.rest.apply.order import needs, rank
from omni_gateway.rest.apply.outcomes import Outcome
from omni_gateway.rest.apply.writer import Writer
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.update import checked

#: From this many objects of one type on, one list costs less than a read of each.
LIST_FROM = 20


class Plan:
    """The documents and removals of one request, compared with Omni's objects; nothing here writes."""

    def __init__(
        self,
        writer: Writer,
        catalogue: Catalogue,
        raw: Sequence[Any],
        destroy: Sequence[tuple[str, str]] = (),
        *,
        dry_run: bool = False,
        atomic: bool = False,
    ) -> None:
        """Validate and check every document and every removal; those that cannot be applied are failed or skipped.

        :param writer: for whom the objects are written.
        :param raw: the documents of the objects to write, unchecked.
        :param destroy: type and id of the objects to remove, in order.
        """
        self.writer = writer
        self.catalogue = catalogue
        self.kinds: dict[str, Kind] = {}
        self.outcomes = [self._read(index, document) for index, document in enumerate(raw)]
        self.outcomes += [self._removal(index, *key) for index, key in enumerate(destroy, start=len(raw))]
        self._refuse_twins()
        self._keys = {outcome.document.key for outcome in self.outcomes if outcome.document}
        self._look_up()
        self._planned: dict[tuple[str, str], Resource] = {}
        self._checks_through = with_planned(writer.omni, self._planned)
        #: Whether to predict Omni's own validation: a dry run and an atomic request need its result before any write.
        self._predict = dry_run or atomic
        lost = Lost(self.outcomes)
        for outcome in self.pending():
            if outcome.document is None:
                self._check_removal(outcome)
            elif not lost.skips(outcome):
                self._check(outcome)
            lost.add(outcome)
        if atomic and any(outcome.problem for outcome in self.outcomes):
            for outcome in self.pending():
                outcome.action = "not-written"

    def pending(self) -> list[Outcome]:
        """Return the outcomes without a problem, in the order of writing; within a type in the request's order.

        Removals come after all writes, in the request's order.
        """
        remaining = [outcome for outcome in self.outcomes if outcome.problem is None]
        return sorted(remaining, key=self._rank)

    def _rank(self, outcome: Outcome) -> float:
        """Return the rank of an object: that of its type, or one after the objects of this request that it needs."""
        if outcome.document is None:
            return math.inf
        needed = needs(outcome.document) & self._keys
        return max([rank(outcome.type), *(rank(type) + 0.5 for type, _ in needed)])

    def adapter(self, outcome: Outcome) -> ResourceAdapter:
        """Return the adapter that writes the outcome's object, with the writer's scope."""
        return self.writer.bound(self.kinds[outcome.type].adapter)

    def show_changes(self, outcome: Outcome) -> None:
        """Set an object's representations before and after, and the operations between them; secrets are masked."""
        render = self.kinds[outcome.type].representation.writable
        before, after = (render(each) if each else {} for each in (outcome.before, outcome.after))
        outcome.shown = before, after
        outcome.diff = mergepatch.diff(before, after)

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

    def _removal(self, index: int, type: str, id: str) -> Outcome:
        kind = self.catalogue.find(type)
        self.kinds[kind.type] = kind
        return Outcome(index, kind.type, id)

    def _refuse_twins(self) -> None:
        keys = Counter(outcome.key for outcome in self.outcomes if outcome.problem is None)
        for outcome in self.outcomes:
            if outcome.problem is None and keys[outcome.key] > 1:
                text = "Another document is about the same object."
                outcome.fail(Problem(422, "validation", errors={"metadata.id": [text]}))

    def _look_up(self) -> None:
        """Read the existing objects, with few calls."""
        by_type: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self.pending():
            if self.kinds[outcome.type].adapter.unreadable:
                continue  # created without a look-up; Omni reports an existing one
            by_type[outcome.type].append(outcome)
        for outcomes in by_type.values():
            if len(outcomes) >= LIST_FROM:
                self._look_up_by_list(outcomes)
            else:
                for outcome in outcomes:
                    self._look_up_one(outcome)

    def _look_up_by_list(self, outcomes: Sequence[Outcome]) -> None:
        try:
            existing = {item.id: item for item in self.adapter(outcomes[0]).list(ListQuery()).items}
        except OmniError as error:
            for outcome in outcomes:
                outcome.fail(problem_for(error))
            return
        for outcome in outcomes:
            outcome.before = existing.get(outcome.id)

    def _look_up_one(self, outcome: Outcome) -> None:
        try:
            outcome.before = self.adapter(outcome).get(outcome.id)
        except MISSING:
            outcome.before = None
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _check(self, outcome: Outcome) -> None:
        """Set the outcome's action, or its problem if the role, the adapter or the prediction rejects the write."""
        document, before = outcome.document, outcome.before
        assert document is not None
        try:
            self.writer.check_role(outcome.type, "replace" if before else "create")
            adapter = self._checking(outcome)
            if before is None:
                outcome.after, outcome.action = document.wanted, "created"
                adapter.check(outcome.after, None, {})
                if self._predict:
                    adapter.predict(outcome.after, None)
            else:
                if before.tearing_down:
                    raise Problem(409, "tearing-down", f"{outcome.id!r} is being removed and takes no writes.")
                outcome.after = checked(adapter, before, document.over(before))
                outcome.action = "unchanged" if outcome.after is before else "updated"
                if self._predict and outcome.action == "updated":
                    adapter.predict(outcome.after, before)
            self._planned[document.key] = outcome.after
        except Problem as problem:
            outcome.fail(problem)
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _check_removal(self, outcome: Outcome) -> None:
        """Set the action of a removal, or its problem; an object that is gone or going already needs none."""
        before = outcome.before
        if before is None or before.tearing_down:
            outcome.action = "unchanged"
            return
        try:
            self.writer.check_role(outcome.type, "delete")
            adapter = self.adapter(outcome)
            adapter.refuse_owned(before)
            adapter.check_delete(before)
            if self._predict:
                adapter.predict(None, before)
            outcome.action = "destroyed"
        except Problem as problem:
            outcome.fail(problem)
        except OmniError as error:
            outcome.fail(problem_for(error))

    def _checking(self, outcome: Outcome) -> ResourceAdapter:
        """Return the adapter for checks, which also finds the objects that earlier documents create."""
        bound = self.adapter(outcome)
        inner = copy.copy(cast(GenericAdapter, unscoped(bound)))
        inner.checks_through = self._checks_through
        return ScopedAdapter(inner, bound.scope) if isinstance(bound, ScopedAdapter) else inner


class Lost:
    """The objects that are not applied; documents that depend on one of them are skipped."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._keys = {(outcome.type, outcome.id) for outcome in outcomes if outcome.problem is not None}

    def add(self, outcome: Outcome) -> None:
        """Add the object of an outcome that has failed."""
        if outcome.problem is not None:
            self._keys.add((outcome.type, outcome.id))

    def skips(self, outcome: Outcome) -> bool:
        """Mark a document as skipped if it depends on a lost object; return whether it does."""
        assert outcome.document is not None
        missing = sorted(needs(outcome.document) & self._keys)
        if missing:
            names = ", ".join(f"{type}/{id}" for type, id in missing)
            outcome.fail(Problem(409, "conflict", f"It belongs to {names}, which was not applied."), "skipped")
        return bool(missing)
