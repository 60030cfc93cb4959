"""Watches: what is there, a bookmark, then each change; resumption, and 410 where the history is not known."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem

NDJSON = {"Accept": "application/x-ndjson"}
CHANGES = 5


class WatchChecks:
    """Promises of a GET with ``Accept: application/x-ndjson`` or ``text/event-stream``."""

    @needs("list")
    def test_a_watch_begins_with_the_objects_that_are_there(self, subject: Subject) -> None:
        assert subject.several
        with subject.watch() as stream:
            objects, _ = stream.initial()
        assert sorted(item["id"] for item in objects) == sorted(item["id"] for item in subject.list())

    @needs("list")
    def test_an_object_of_a_watch_is_the_object_that_is_read(self, subject: Subject) -> None:
        existing = subject.existing
        with subject.watch() as stream:
            objects, _ = stream.initial()
        assert next(item for item in objects if item["id"] == existing.id) == subject.read(existing.url)

    @needs("list")
    def test_the_events_of_a_watch_are_as_the_document_says(self, subject: Subject) -> None:
        assert subject.several
        with subject.watch() as stream:
            events = [stream.next()]
            while events[-1]["type"] != "BOOKMARK":
                events.append(stream.next())
        subject.gateway.document.check_events(subject.path, events)

    @needs("list", "create", "many")
    def test_a_watch_sends_a_new_object(self, subject: Subject) -> None:
        with subject.watch() as stream:
            stream.initial()
            made = subject.make()
            event = stream.until(lambda event: event.get("object", {}).get("id") == made.id)
        assert event["type"] == "ADDED"

    @needs("list", "changeable")
    def test_a_watch_sends_a_change(self, subject: Subject) -> None:
        made = subject.changing
        with subject.watch() as stream:
            stream.initial()
            subject.alter(made.id)
            event = stream.until(lambda event: event.get("object", {}).get("id") == made.id)
        assert event["type"] == "MODIFIED"

    @needs("list", "delete")
    def test_a_watch_sends_a_removal(self, subject: Subject) -> None:
        made = subject.one_to_remove()
        with subject.watch() as stream:
            stream.initial()
            subject.admin.delete(made.url)
            event = stream.until(lambda event: event["type"] == "DELETED")
        assert event["object"]["id"] == made.id

    @needs("list", "patch", "labels")
    def test_a_watch_leaves_out_no_object_that_changes(self, subject: Subject) -> None:
        others = [subject.make() for _ in range(CHANGES - 1)] if subject.creates else []
        made = [subject.changing, *others]
        with subject.watch() as stream:
            stream.initial()
            for each in made:
                subject.admin.patch(each.url, json={"labels": {"kit-seen": subject.token}})
            waited_for = {each.id for each in made}
            while waited_for:
                event = stream.until(lambda event: event.get("object", {}).get("id") in waited_for)
                if event["object"]["labels"].get("kit-seen") == subject.token:
                    waited_for.discard(event["object"]["id"])

    @needs("list", "patch", "labels")
    def test_the_last_event_of_an_object_is_its_present_state(self, subject: Subject) -> None:
        made = subject.changing
        with subject.watch() as stream:
            stream.initial()
            for number in range(CHANGES):
                subject.admin.patch(made.url, json={"labels": {"kit-number": str(number)}})
            last = str(CHANGES - 1)
            event = stream.until(
                lambda event: event["type"] == "MODIFIED" and event["object"]["labels"].get("kit-number") == last
            )
        assert event["object"] == subject.read(made.url)

    @needs("list", "create", "patch", "many", "labels")
    def test_a_watch_with_a_selector_sends_what_enters_and_leaves_the_selection(self, subject: Subject) -> None:
        made, value = subject.make(), f"in-{subject.token}"
        with subject.watch(f"{subject.collection}?label_selector=kit-enter={value}") as stream:
            objects, _ = stream.initial()
            subject.admin.patch(made.url, json={"labels": {"kit-enter": value}})
            entered = stream.next()
            subject.admin.patch(made.url, json={"labels": {"kit-enter": None}})
            left = stream.next()
        assert objects == []
        assert [(event["type"], event["object"]["id"]) for event in (entered, left)] == [
            ("ADDED", made.id),
            ("DELETED", made.id),
        ]

    @needs("get", "changeable")
    def test_one_object_can_be_watched(self, subject: Subject) -> None:
        made = subject.changing
        with subject.watch(made.url) as stream:
            objects, _ = stream.initial()
            subject.alter(made.id)
            event = stream.next()
        assert [item["id"] for item in objects] == [made.id]
        assert (event["type"], event["object"]["id"]) == ("MODIFIED", made.id)

    @needs("get", "many")
    def test_a_watch_of_an_object_that_is_not_there_is_404(self, subject: Subject) -> None:
        problem(subject.admin.get(subject.missing.url, headers=NDJSON), 404, "not-found")

    @needs("list")
    def test_a_watch_goes_on_from_its_bookmark_without_repeating_objects(self, subject: Subject) -> None:
        assert subject.several
        with subject.watch() as stream:
            _, point = stream.initial()
        with subject.watch(Last_Event_ID=point) as stream:
            objects, again = stream.initial()
        assert (objects, again) == ([], point)

    @needs("list", "changeable")
    def test_a_watch_that_goes_on_sends_what_has_changed_since(self, subject: Subject) -> None:
        made = subject.changing
        with subject.watch() as stream:
            _, point = stream.initial()
        subject.alter(made.id)
        with subject.watch(Last_Event_ID=point) as stream:
            objects, _ = stream.initial()
        assert made.id in {item["id"] for item in objects}

    @needs("list", "create", "many")
    def test_a_watch_goes_on_from_a_list(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, params={"page_size": 1000})
        point = response.headers["X-Resume-Point"]
        made = subject.make()
        with subject.watch(f"{subject.collection}?page_size=1000", Last_Event_ID=point) as stream:
            objects, _ = stream.initial()
        assert made.id in {item["id"] for item in objects}

    @needs("list", "changeable")
    def test_the_resume_point_of_an_event_is_one_to_go_on_from(self, subject: Subject) -> None:
        made = subject.changing
        with subject.watch() as stream:
            stream.initial()
            subject.alter(made.id)
            event = stream.until(lambda event: event.get("object", {}).get("id") == made.id)
        with subject.watch(Last_Event_ID=event["resume_point"]) as stream:
            objects, _ = stream.initial()
        assert {item["id"] for item in objects} <= {made.id}

    @needs("list", "delete", "create", "many")
    def test_a_point_whose_history_is_gone_is_410(self, subject: Subject) -> None:
        made = subject.make()
        with subject.watch() as stream:
            _, point = stream.initial()
        subject.admin.delete(made.url)
        assert subject.is_gone(made.url)
        response = subject.admin.get(subject.collection, headers={**NDJSON, "Last-Event-ID": point})
        problem(response, 410, "gone")

    @needs("list")
    def test_a_point_that_is_none_is_410(self, subject: Subject) -> None:
        response = subject.admin.get(subject.collection, headers={**NDJSON, "Last-Event-ID": "nonsense"})
        problem(response, 410, "gone")

    @needs("list")
    def test_a_watch_is_sent_as_server_sent_events_too(self, subject: Subject) -> None:
        assert subject.several
        lines = []
        with subject.admin.stream("GET", subject.collection, headers={"Accept": "text/event-stream"}) as response:
            for line in response.iter_lines():
                lines.append(line)
                if line == "event: BOOKMARK":
                    break
        assert "event: ADDED" in lines
        assert sum(line == "event: ADDED" for line in lines) == len(subject.list())
