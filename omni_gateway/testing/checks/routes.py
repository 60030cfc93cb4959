"""Further routes: actions, computed documents, sub-resources, and views that the plugin adds itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omni_gateway.http.openapi.operations import operations_of
from omni_gateway.rest.plugin import ResourcePlugin
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.document import resolved
from omni_gateway.testing.gateways import ROLES
from omni_gateway.testing.subject import METHODS, Made, Subject, path_of, problem

JSON = "application/json"
#: The cluster of a caller who may not see the objects of the example.
ELSEWHERE = "kit-elsewhere"


@dataclass(frozen=True)
class FurtherRoute:
    """A route of the plugin that is none of its verbs, as the document has it."""

    method: str
    path: str
    operation: Mapping[str, Any]

    @property
    def reads(self) -> bool:
        """Whether it is a GET."""
        return self.method == "GET"

    @property
    def of_object(self) -> bool:
        """Whether its URL has the id of an object."""
        return "{id}" in self.path

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The example of its body, or an empty object; None if it takes no JSON."""
        media = self.operation.get("requestBody", {}).get("content", {}).get(JSON)
        return None if media is None else dict(media.get("example") or {})

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def further_routes(subject: Subject) -> Iterator[FurtherRoute]:
    """Yield the routes of a plugin under test that are no verbs."""
    return further_routes_of(subject.plugin, subject.gateway.openapi)


def further_routes_of(plugin: ResourcePlugin, document: Mapping[str, Any]) -> Iterator[FurtherRoute]:
    """Yield the routes of a document that are a plugin's, no verbs, and without a variable but the id of an object."""
    paths, base = document["paths"], f"/api/v1/{plugin.name}"
    verbs = {(path_of(plugin, verb), METHODS[verb]) for verb in plugin.roles}
    tags = {tag for path, method in verbs for tag in paths[path][method.lower()]["tags"]}
    for path, item in paths.items():
        below = path == base or path.startswith(f"{base}/")
        if not below or path.replace("{id}", "").count("{"):
            continue
        for method, operation in operations_of(item):
            if (path, method.upper()) not in verbs and tags & set(operation.get("tags", ())):
                yield FurtherRoute(method.upper(), path, operation)


def send(
    subject: Subject,
    route: FurtherRoute,
    made: Made,
    client: httpx.Client | None = None,
    *,
    params: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """Send a request to a route about an object; ``members`` are added to the example of its body.

    What a stream goes on to send is not read.
    """
    url = url_of(subject, route, made)
    body: dict[str, Any] = {} if route.body is None else {"json": {**route.body, **(members or {})}}
    with (client or subject.admin).stream(route.method, url, params=params, **body) as response:
        if response.headers.get("Content-Type", "").partition(";")[0] in (JSON, "application/problem+json", ""):
            response.read()
        else:
            # The first piece is enough to look for what must not be there; a log that is followed has no end.
            content = next(response.iter_raw(), b"")
            response = httpx.Response(
                response.status_code, headers=response.headers, content=content, request=response.request
            )
    return response


def url_of(subject: Subject, route: FurtherRoute, made: Made) -> str:
    """Return the URL of a route about an object, below ``/api/v1``."""
    url = route.path.replace("/api/v1/", "", 1)
    return url.replace(f"{subject.plugin.name}/{{id}}", made.url, 1) if route.of_object else url


def takes_dry_run(subject: Subject, route: FurtherRoute) -> bool:
    """Return whether a route has the parameter ``dry_run``."""
    return any(each["name"] == "dry_run" for each in parameters_of(subject, route))


def requires_parameters(subject: Subject, route: FurtherRoute) -> bool:
    """Return whether a route has a parameter of the query that may not be left out."""
    return any(each["in"] == "query" and each.get("required", False) for each in parameters_of(subject, route))


def parameters_of(subject: Subject, route: FurtherRoute) -> Iterator[Mapping[str, Any]]:
    """Yield the parameters of a route as the document has them."""
    return (resolved(subject.gateway.openapi, each) for each in route.operation.get("parameters", ()))


def content_of(subject: Subject, made: Made) -> dict[str, Any]:
    """Return an object without its metadata: controllers of the back end may raise its version meanwhile."""
    return {name: value for name, value in subject.read(made.url).items() if name != "metadata"}


def assert_another_method_is_405(subject: Subject, path: str, url: str) -> None:
    """Send a URL of a documented path a method that the path has not; the refusal names those that it has."""
    present = {method.upper() for method, _ in operations_of(subject.gateway.openapi["paths"][path])}
    method = next(each for each in ("PUT", "DELETE", "POST", "PATCH", "LOCK") if each not in present)
    response = subject.admin.request(method, url)
    assert response.status_code == 405, f"{method} {path}: {response.status_code} {response.text[:300]}"
    assert present <= set(response.headers["Allow"].split(", ")), f"{path}: {response.headers['Allow']}"


class RouteChecks:
    """Promises of every route that is no verb. The message of a failure names the route."""

    @needs("further routes", "get")
    def test_a_further_route_is_open_to_its_role_and_above_only(self, subject: Subject) -> None:
        for route in further_routes(subject):
            response = send(subject, route, subject.existing, subject.client(None))
            assert response.status_code == 401, f"{route} without a credential: {response.status_code}"
            needed = route.operation.get("x-required-role", "reader")
            params = {"dry_run": "true"} if takes_dry_run(subject, route) else {}
            for role in ROLES:
                enough = ROLES.index(role) >= ROLES.index(needed)
                if enough and not (route.reads or params or needed == "reader"):
                    continue  # it would be done
                response = send(subject, route, subject.existing, subject.client(role), params=params)
                refused = response.status_code == 403 and response.json()["code"] == "forbidden"
                assert refused is not enough, f"{route} as {role}: {response.status_code} {response.text[:300]}"

    @needs("further routes", "get", "many")
    def test_a_further_route_of_a_missing_object_is_404(self, subject: Subject) -> None:
        for route in further_routes(subject):
            if route.of_object:
                response = send(subject, route, subject.strange)
                # What lacks members or parameters may be refused before the object is looked for.
                lacks = not route.reads or requires_parameters(subject, route)
                refused = response.status_code == 422 and lacks
                assert response.status_code == 404 or refused, f"{route}: {response.status_code} {response.text[:300]}"
                problem(response, response.status_code, "validation" if refused else "not-found")

    @needs("further routes", "get")
    def test_a_further_route_refuses_an_unknown_parameter(self, subject: Subject) -> None:
        for route in further_routes(subject):
            response = send(subject, route, subject.existing, params={"no_such_parameter": "1"})
            assert response.status_code == 422, f"{route}: {response.status_code} {response.text[:300]}"
            problem(response, 422, "unknown-parameter")

    @needs("further routes", "get")
    def test_a_further_route_refuses_an_unknown_field(self, subject: Subject) -> None:
        for route in further_routes(subject):
            if route.body is not None:
                response = send(subject, route, subject.existing, members={"no_such_field": 1})
                assert response.status_code == 422, f"{route}: {response.status_code} {response.text[:300]}"
                assert "no_such_field" in problem(response, 422, "validation")["errors"], f"{route}: {response.text}"

    @needs("further routes", "get")
    def test_a_further_route_refuses_a_body_that_is_no_json(self, subject: Subject) -> None:
        for route in further_routes(subject):
            if route.body is not None and route.operation["requestBody"].get("required"):
                url = url_of(subject, route, subject.existing)
                for content in (b"{", b"", b'{"a": 1, "a": 2}'):
                    refused = subject.admin.request(route.method, url, content=content, headers={"Content-Type": JSON})
                    assert refused.status_code == 400, f"{route}: {refused.status_code} {refused.text[:300]}"
                    problem(refused, 400, "bad-json")
                refused = subject.admin.request(
                    route.method, url, content=b"<a/>", headers={"Content-Type": "text/xml"}
                )
                assert refused.status_code == 415, f"{route}: {refused.status_code} {refused.text[:300]}"

    @needs("further routes", "get")
    def test_a_method_that_a_further_route_has_not_is_405_and_names_those_that_it_has(self, subject: Subject) -> None:
        for route in further_routes(subject):
            assert_another_method_is_405(subject, route.path, url_of(subject, route, subject.existing))

    @needs("further routes", "get")
    def test_a_further_read_changes_nothing(self, subject: Subject) -> None:
        made = subject.existing
        for route in further_routes(subject):
            if route.reads:
                before = content_of(subject, made)
                send(subject, route, made)
                assert content_of(subject, made) == before, f"{route} changed the object"

    @needs("further routes", "get")
    def test_a_reader_changes_nothing_by_a_further_route(self, subject: Subject) -> None:
        made = subject.existing
        for route in further_routes(subject):
            before = content_of(subject, made)
            send(subject, route, made, subject.client("reader"))
            assert content_of(subject, made) == before, f"{route} changed the object, for a reader"

    @needs("further routes", "get")
    def test_a_dry_run_of_an_action_changes_nothing(self, subject: Subject) -> None:
        made = subject.existing
        for route in further_routes(subject):
            if takes_dry_run(subject, route):
                before = content_of(subject, made)
                response = send(subject, route, made, params={"dry_run": "true"})
                assert response.status_code < 500, f"{route}: {response.status_code} {response.text[:300]}"
                assert content_of(subject, made) == before, f"a dry run of {route} changed the object"

    @needs("further routes", "get")
    def test_a_further_read_has_the_members_that_the_document_names(self, subject: Subject) -> None:
        for route in further_routes(subject):
            response = send(subject, route, subject.existing) if route.reads else None
            if response is not None and response.status_code == 200 and _is_json(response):
                unknown = _members(response.json()) - _documented(subject, route)
                assert not unknown, f"{route} has members that are not documented: {', '.join(sorted(unknown))}"

    @needs("further routes", "cluster", "get")
    def test_a_further_read_shows_nothing_of_another_cluster(self, subject: Subject) -> None:
        made, held = subject.existing, subject.held_to(ELSEWHERE)
        for route in further_routes(subject):
            if route.reads:
                response = send(subject, route, made, held)
                if route.of_object:
                    assert response.status_code == 404, f"{route}: {response.status_code} {response.text[:300]}"
                elif response.status_code == 200:
                    assert made.id not in response.text, f"{route} shows an object of another cluster"

    @needs("further routes", "cluster", "get")
    def test_a_caller_held_to_another_cluster_changes_nothing_by_a_further_route(self, subject: Subject) -> None:
        made, held = subject.existing, subject.held_to(ELSEWHERE)
        for route in further_routes(subject):
            before = content_of(subject, made)
            send(subject, route, made, held)
            assert content_of(subject, made) == before, f"{route} changed an object of another cluster"


def _is_json(response: httpx.Response) -> bool:
    return response.headers["Content-Type"] == JSON


def _members(document: Any) -> set[str]:
    """Return the names of the members of a document, or of those of a list."""
    documents = document if isinstance(document, list) else [document]
    return {name for each in documents if isinstance(each, dict) for name in each}


def _documented(subject: Subject, route: FurtherRoute) -> set[str]:
    """Return the names of the members that the document has of an answer."""
    response = resolved(subject.gateway.openapi, route.operation["responses"]["200"])
    schema = response.get("content", {}).get(JSON, {}).get("schema", {})
    schema = resolved(subject.gateway.openapi, schema)
    schema = resolved(subject.gateway.openapi, schema.get("items", schema))
    return set(schema.get("properties", ()))
