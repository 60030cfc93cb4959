"""The audit: a line for each write, and none for reads."""

from __future__ import annotations

import httpx

from omni_gateway.testing.audit_lines import audit_lines
from omni_gateway.testing.subject import METHODS, Subject


class AuditChecks:
    """Who did what."""

    def test_a_write_leaves_one_audit_line(self, subject: Subject, write: str) -> None:
        made = subject.one_to_remove() if write == "delete" else subject.changing if write != "create" else None
        with audit_lines() as lines:
            response = subject.send(write, made)
        line = _line_of(response, lines)
        assert (line["method"], line["status"], line["role"]) == (METHODS[write], response.status_code, "admin")
        assert line["resource"] == subject.plugin.name
        if made is not None and not subject.plugin.singleton:
            assert line["object_id"] == made.id

    def test_a_refused_write_leaves_an_audit_line(self, subject: Subject, write: str) -> None:
        with audit_lines() as lines:
            response = subject.send(write, subject.existing, subject.client(None))
        assert _line_of(response, lines)["outcome"] != "done"

    def test_a_read_leaves_no_audit_line(self, subject: Subject, read: str) -> None:
        existing = subject.existing
        with audit_lines() as lines:
            response = subject.send(read, existing)
        assert response.status_code == 200
        assert lines == []

    def test_an_audit_line_has_no_values_of_a_body(self, subject: Subject, write_with_body: str) -> None:
        made = subject.changing if write_with_body != "create" else None
        body = {**subject.usual_body(write_with_body, made), "no_such_field": f"value-{subject.token}"}
        with audit_lines() as lines:
            subject.send(write_with_body, made, body=body)
        assert lines
        assert f"value-{subject.token}" not in str(lines)


def _line_of(response: httpx.Response, lines: list[dict[str, object]]) -> dict[str, object]:
    found = [line for line in lines if line["request_id"] == response.headers["X-Request-ID"]]
    assert len(found) == 1, f"{len(found)} audit lines of this request: {lines}"
    return found[0]
