"""A followed audit log, as it is made of Omni's records."""

from __future__ import annotations

import pytest

from omni_gateway.omni.management import AuditRecord
from omni_gateway.sdk import Problem
from resources.auditlog.stream import numbered


def test_each_record_has_its_id_as_its_first_member() -> None:
    log = iter([AuditRecord(b"", 6), AuditRecord(b' {"event_type":"create"}', 7)])
    assert list(numbered(log)) == [("6", b""), ("7", b'{"event_id":7,"event_type":"create"}')]


@pytest.mark.parametrize("records", [[], [AuditRecord(b'{"event_type":"create"}', 0)]], ids=["empty", "a record"])
def test_an_omni_that_sends_no_start_does_not_follow(records: list[AuditRecord]) -> None:
    with pytest.raises(Problem) as caught:
        next(numbered(iter(records)))
    assert caught.value.code == "not-implemented"
