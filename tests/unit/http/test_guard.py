"""Who is let in, by which credential, and what its role opens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from limits import parse_many
from werkzeug.test import TestResponse

from omni_gateway.auth import Authenticator, FailedLogins, Principal, Rejected, Role, Scope, Unverifiable
from omni_gateway.auth.principal import MethodName
from omni_gateway.http import guard, paths
from omni_gateway.http.guard import require_role
from omni_gateway.http.problems import Problem
from omni_gateway.http.stream_tickets import StreamTickets
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.store import Store, StoreUnavailable
from omni_gateway.store.tokens import ensure_bootstrap


@pytest.fixture
def guarded(bare: Flask) -> Flask:
    for role in Role:
        bare.add_url_rule(f"/{role.value}", endpoint=role.value, view_func=require_role(role)(lambda: "in"))
    return bare


def call(app: Flask, path: str, token: str) -> int:
    return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("held", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_opens_what_needs_it_or_less(guarded: Flask, store: Store, held: Role, needed: Role) -> None:
    token = store.tokens.create("t", held.value, None)[1]
    assert call(guarded, f"/{needed.value}", token) == (200 if held >= needed else 403)


def test_too_low_a_role_is_told_which_one_is_needed(guarded: Flask, store: Store) -> None:
    token = store.tokens.create("t", "reader", None)[1]
    answer = guarded.test_client().get("/admin", headers={"Authorization": f"Bearer {token}"})
    assert "admin" in answer.get_json()["detail"]


def test_a_revoked_token_is_refused(guarded: Flask, store: Store) -> None:
    token, secret = store.tokens.create("t", "admin", None)
    store.tokens.revoke(token.id)
    assert call(guarded, "/reader", secret) == 401


def test_an_expired_token_is_refused(guarded: Flask, store: Store) -> None:
    assert call(guarded, "/reader", store.tokens.create("t", "admin", timedelta(seconds=-1))[1]) == 401


def test_the_text_of_a_token_is_kept_nowhere(store: Store) -> None:
    _, secret = store.tokens.create("t", "admin", None)
    url = store.engine().url.database
    assert url is not None
    store.engine().dispose()
    kept = b"".join(path.read_bytes() for path in (Path(url), Path(f"{url}-wal")) if path.exists())
    assert secret.encode() not in kept


def test_a_new_bootstrap_token_ends_the_old_one(guarded: Flask, store: Store) -> None:
    ensure_bootstrap("a" * 40, store.engine())
    ensure_bootstrap("b" * 40, store.engine())
    assert (call(guarded, "/admin", "a" * 40), call(guarded, "/admin", "b" * 40)) == (401, 200)


class Accounts:
    """An authentication method that the test holds in its hand, and that counts how often it is asked."""

    name: MethodName = "token"

    def __init__(self) -> None:
        self.answers: dict[str, Principal | Exception] = {}
        self.asked: list[str] = []

    def recognises(self, credential: str) -> bool:
        return True

    def authenticate(self, credential: str) -> Principal:
        self.asked.append(credential)
        answer = self.answers.get(credential, Rejected("Unknown here."))
        if isinstance(answer, Exception):
            raise answer
        return answer


ANYBODY = Principal("anybody", Role.READER, "anybody", "off")
READER = Principal("ann", Role.READER, "token:ann")
HELD_ADMIN = Principal("bob", Role.ADMIN, "token:bob", scope=Scope(("mine-*",)))
NOBODYS = Principal("cid", None, "token:cid")
PLAIN, INVALID = 'Bearer realm="omni-gateway"', 'Bearer realm="omni-gateway", error="invalid_token"'


@pytest.fixture
def accounts() -> Accounts:
    accounts = Accounts()
    accounts.answers |= {"ann": READER, "bob": HELD_ADMIN, "cid": NOBODYS}
    return accounts


Door = Callable[..., Flask]


@pytest.fixture
def door(accounts: Accounts) -> Door:
    """Make an application whose callers are in ``accounts``; ``/me`` asks for them several times."""

    def me() -> dict[str, object]:
        before = guard.known_principal()
        caller = guard.current_principal()
        assert guard.current_principal() is caller is guard.known_principal()
        return {"name": caller.name, "known before": before is not None}

    def make(anonymous: Principal | None = None, per_address: str = "", store: Store | None = None) -> Flask:
        app = Flask("door")
        logins = FailedLogins(parse_many(per_address) if per_address else (), ())
        tickets = StreamTickets(store.stream_tickets) if store else cast(StreamTickets, None)
        guard.init_app(app, Authenticator([accounts], anonymous), logins, tickets)
        paths.init_app(app)
        app.register_error_handler(Problem, lambda problem: problem.response())
        app.add_url_rule("/me", view_func=me, methods=["GET", "POST"])
        return app

    return make


@pytest.fixture
def ticket_door(door: Door, store: Store) -> Door:
    """The same, for callers who send tickets."""
    return partial(door, store=store)


def ask(app: Flask, authorization: str | None = None, path: str = "/me", **options: Any) -> TestResponse:
    headers = {**options.pop("headers", {}), **({"Authorization": authorization} if authorization else {})}
    return app.test_client().open(path, headers=headers, **options)


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    return answer.status_code, answer.get_json()["code"], answer.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("authorization", ["Bearer ann", "bearer ann", "BEARER  ann "])
def test_a_credential_is_a_bearers_however_it_is_written(door: Door, authorization: str) -> None:
    assert ask(door(), authorization).get_json() == {"name": "ann", "known before": False}


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer  ", "Basic ann", "ann", "ann Bearer"])
def test_without_a_bearers_credential_the_caller_is_told_to_send_one(
    door: Door, accounts: Accounts, authorization: str | None
) -> None:
    assert refusal(ask(door(), authorization)) == (401, "unauthenticated", PLAIN)
    assert accounts.asked == []


def test_an_invalid_credential_is_told_from_a_missing_one_and_why(door: Door) -> None:
    answer = ask(door(), "Bearer guess")
    assert refusal(answer) == (401, "unauthenticated", INVALID)
    assert answer.get_json()["detail"] == "Unknown here."


def test_with_authentication_off_only_a_caller_without_any_credential_is_anonymous(door: Door) -> None:
    app = door(ANYBODY)
    assert ask(app).get_json()["name"] == "anybody"
    assert ask(app, "Bearer ann").get_json()["name"] == "ann"
    assert refusal(ask(app, "Bearer guess")) == (401, "unauthenticated", INVALID)
    assert refusal(ask(app, "Basic ann")) == (401, "unauthenticated", PLAIN)
    assert refusal(ask(app, "Bearer")) == (401, "unauthenticated", PLAIN)


def test_a_credential_is_looked_up_once_in_a_request(door: Door, accounts: Accounts) -> None:
    app = door()
    ask(app, "Bearer ann")
    assert accounts.asked == ["ann"]


def test_a_refusal_is_the_same_throughout_a_request(door: Door, accounts: Accounts) -> None:
    with door(per_address="1/hour").test_request_context(headers={"Authorization": "Bearer guess"}):
        refusals = []
        for _ in range(3):
            with pytest.raises(Problem) as refused:
                guard.current_principal()
            refusals.append((refused.value.status, guard.known_principal()))
    assert (refusals, accounts.asked) == ([(401, None)] * 3, ["guess"])


def test_after_refused_credentials_an_address_has_to_wait_but_who_was_let_in_has_not(door: Door) -> None:
    app = door(per_address="2/hour")
    assert ask(app, "Bearer ann").status_code == 200
    assert [ask(app, f"Bearer guess{number}").status_code for number in range(3)] == [401, 401, 429]
    waits = ask(app, "Bearer cid")
    assert (waits.status_code, waits.get_json()["code"]) == (429, "too-many-failed-logins")
    assert 3500 < int(waits.headers["Retry-After"]) <= 3600
    assert ask(app, "Bearer ann").status_code == 200
    assert ask(app, "Bearer cid", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_a_credential_that_cannot_be_verified_now_is_refused_and_counts_as_no_guess(
    door: Door, accounts: Accounts
) -> None:
    accounts.answers["later"] = Unverifiable("The issuer is away.")
    app = door(per_address="1/hour")
    answers = [ask(app, "Bearer later") for _ in range(3)]
    assert [refusal(answer) for answer in answers] == [(401, "unauthenticated", INVALID)] * 3


def test_without_the_store_a_caller_is_told_to_come_back_and_counts_as_no_guess(door: Door, accounts: Accounts) -> None:
    accounts.answers["ann"] = StoreUnavailable("Away.", 6.2)
    app = door(per_address="1/hour")
    answers = [ask(app, "Bearer ann") for _ in range(2)]
    assert [(each.status_code, each.headers["Retry-After"]) for each in answers] == [(503, "7")] * 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_a_caller_is_counted_by_its_address_or_its_network(door: Door, address: str, network: str) -> None:
    with door().test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert guard.remote_network() == network


def test_a_caller_without_an_address_is_counted_too(door: Door) -> None:
    with door().test_request_context() as context:
        assert context.request.remote_addr is None
        assert guard.remote_network() == ""


def rights(app: Flask, credential: str, role: Role, **options: bool) -> tuple[bool, str]:
    """Return whether a caller is permitted, and with which text the check of its role refuses it."""
    with app.test_request_context(headers={"Authorization": f"Bearer {credential}"}):
        permitted = guard.permitted(role, **options)
        try:
            guard.check_role(role, **options)
        except Problem as problem:
            assert (problem.status, problem.code) == (403, "forbidden")
            return permitted, str(problem.detail)
        return permitted, ""


@pytest.mark.parametrize(
    ("credential", "role", "text"),
    [
        ("ann", Role.READER, ""),
        ("ann", Role.OPERATOR, "This needs the role operator; yours is reader."),
        ("bob", Role.OPERATOR, ""),
        ("bob", Role.ADMIN, "This is about all clusters; you may touch only some."),
        ("cid", Role.READER, "This needs the role reader; yours is none."),
    ],
)
def test_who_may_is_asked_and_checked_alike(door: Door, credential: str, role: Role, text: str) -> None:
    assert rights(door(), credential, role) == (not text, text)
    assert rights(door(), credential, role, authorized_by_omni=True) == (not text, text)


def test_who_has_a_key_of_omnis_is_not_checked_where_omni_decides(door: Door, accounts: Accounts) -> None:
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True)) as own:
        accounts.answers["key"] = replace(NOBODYS, omni=own)
        assert rights(door(), "key", Role.ADMIN, authorized_by_omni=True) == (True, "")
        assert rights(door(), "key", Role.READER) == (False, "This needs the role reader; yours is none.")


def test_omni_refuses_the_key_of_a_caller_only_if_it_is_the_callers(door: Door, accounts: Accounts) -> None:
    assert guard.refused_by_omni() is None
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True)) as own:
        accounts.answers["key"] = replace(READER, omni=own)
        refused = {}
        for credential in ("key", "ann"):
            with door().test_request_context(headers={"Authorization": f"Bearer {credential}"}):
                assert guard.refused_by_omni() is None  # the caller is not known yet
                guard.current_principal()
                refused[credential] = guard.refused_by_omni()
    problem = refused["key"]
    assert refused["ann"] is None
    assert problem is not None
    assert (problem.status, problem.code, problem.detail) == (
        401,
        "unauthenticated",
        "Omni does not accept your key any more.",
    )
    assert problem.headers == {"WWW-Authenticate": INVALID}


@pytest.mark.parametrize(
    ("then", "valid"),
    [
        (READER, True),
        (replace(READER, role=Role.ADMIN), False),
        (replace(READER, scope=Scope(("mine-*",))), False),
        (Rejected("Revoked."), False),
        (Unverifiable("The issuer is away."), True),
        (StoreUnavailable("Away."), False),
        (KeyError("a defect"), True),
    ],
    ids=["the same", "another role", "other clusters", "revoked", "unverifiable", "no store", "a defect"],
)
def test_an_open_stream_ends_with_its_callers_rights(
    door: Door, accounts: Accounts, then: Principal | Exception, valid: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with door().test_request_context(headers={"Authorization": "Bearer ann"}):
        guard.current_principal()
        is_valid = guard.credential_checker()
    assert is_valid()
    accounts.answers["ann"] = then
    assert is_valid() is valid
    defect = "cannot check the credential of a stream's caller again (KeyError)"
    assert [record.getMessage() for record in caplog.records] == ([defect] if isinstance(then, KeyError) else [])


def test_the_stream_of_an_anonymous_caller_lasts(door: Door, accounts: Accounts) -> None:
    with door(ANYBODY).test_request_context():
        guard.current_principal()
        assert guard.credential_checker()()
    assert accounts.asked == []


def test_what_nobody_was_asked_for_has_nothing_to_check_again(door: Door, accounts: Accounts) -> None:
    with door().test_request_context(headers={"Authorization": "Bearer guess"}):
        assert guard.credential_checker()()
    assert accounts.asked == []


@pytest.mark.parametrize(("header", "credential"), [("Bearer  x ", "x"), ("x", ""), ("a b c", "b c"), (None, "")])
def test_the_credential_of_a_request_is_what_follows_its_scheme(
    door: Door, header: str | None, credential: str
) -> None:
    with door().test_request_context(headers={"Authorization": header} if header else {}):
        assert guard.current_credential() == credential


EVENTS = {"Accept": "text/event-stream"}


def ticket(app: Flask, authorization: str | None = "Bearer ann", url: tuple[str, str] = ("/me", "a=b")) -> str:
    with app.test_request_context(headers={"Authorization": authorization} if authorization else {}):
        return guard.issue_ticket(*url)[0]


def with_ticket(app: Flask, ticket: str, **options: Any) -> TestResponse:
    return ask(app, None, f"/me?a=b&ticket={ticket}", **{"headers": EVENTS, **options})


def bad_ticket(answer: TestResponse) -> str:
    assert refusal(answer) == (401, "bad-ticket", PLAIN)
    return str(answer.get_json()["detail"])


def test_a_ticket_stands_for_its_callers_credential_once(ticket_door: Door, accounts: Accounts) -> None:
    app = ticket_door()
    issued = ticket(app)
    assert with_ticket(app, issued, headers={"Accept": " text/event-stream "}).get_json()["name"] == "ann"
    assert bad_ticket(with_ticket(app, issued)) == "The ticket was used before."
    assert accounts.asked == ["ann", "ann"]


def test_a_ticket_is_as_good_as_the_credential_is_when_it_is_used(ticket_door: Door, accounts: Accounts) -> None:
    app = ticket_door()
    issued = ticket(app)
    del accounts.answers["ann"]
    assert refusal(with_ticket(app, issued)) == (401, "unauthenticated", INVALID)


def test_a_stream_opened_by_a_ticket_is_checked_by_the_credential_behind_it(
    ticket_door: Door, accounts: Accounts
) -> None:
    app = ticket_door()
    app.add_url_rule("/stream", view_func=lambda: (guard.current_principal(), str(guard.credential_checker()()))[1])
    issued = ticket(app, url=("/stream", ""))
    assert ask(app, None, f"/stream?ticket={issued}", headers=EVENTS).text == "True"
    assert accounts.asked == ["ann", "ann", "ann"]


def test_the_ticket_of_an_anonymous_caller_is_anonymous_where_callers_may_be(ticket_door: Door) -> None:
    app = ticket_door(ANYBODY)
    issued = [ticket(app, None) for _ in range(2)]
    assert with_ticket(app, issued[0]).get_json()["name"] == "anybody"
    app.extensions[guard.EXTENSION].anonymous = None
    assert bad_ticket(with_ticket(app, issued[1])) == "The ticket is of a caller without a credential."


@pytest.mark.parametrize(
    "options",
    [{"method": "POST"}, {"headers": {"Accept": "*/*"}}, {"headers": {}}],
    ids=["no GET", "another Accept", "no Accept"],
)
def test_a_ticket_is_for_a_get_of_events_and_not_spent_by_another(ticket_door: Door, options: dict[str, Any]) -> None:
    app = ticket_door()
    issued = ticket(app)
    assert bad_ticket(with_ticket(app, issued, **options)) == "A ticket is for a GET with `Accept: text/event-stream`."
    assert with_ticket(app, issued).status_code == 200


def test_guessed_tickets_are_counted_and_spent_ones_are_not(ticket_door: Door) -> None:
    app = ticket_door(per_address="2/hour")
    spent = ticket(app)
    with_ticket(app, spent)
    assert [with_ticket(app, spent).status_code for _ in range(3)] == [401] * 3
    assert [with_ticket(app, f"guess{number}").status_code for number in range(3)] == [401, 401, 429]
    assert with_ticket(app, "guess", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 401


def test_a_ticket_is_not_looked_up_without_the_store(ticket_door: Door, store: Store) -> None:
    app = ticket_door(per_address="1/hour")
    issued = ticket(app)
    store.engine().dispose()
    with closing(sqlite3.connect(str(store.engine().url.database))) as connection:
        connection.execute("DROP TABLE stream_tickets")
    answers = [with_ticket(app, issued) for _ in range(2)]
    assert [(each.status_code, each.get_json()["code"]) for each in answers] == [(503, "store-unavailable")] * 2


def test_a_caller_has_so_many_unused_tickets_and_no_more(ticket_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_gateway.http.stream_tickets.MOST_UNUSED", 2)
    app = ticket_door()
    for _ in range(2):
        ticket(app)
    with pytest.raises(Problem) as refused:
        ticket(app)
    problem = refused.value
    assert (problem.status, problem.code, problem.headers) == (429, "too-many-tickets", {"Retry-After": "60"})
    assert ticket(app, "Bearer bob")


def test_a_guarded_view_gets_what_the_route_passes_and_says_which_role_it_takes(door: Door) -> None:
    app = door()

    @guard.require_role(Role.OPERATOR)
    def view(first: int, *, second: int) -> tuple[int, int]:
        return first, second

    assert view.__name__ == "view"
    assert view.__required_role__ is Role.OPERATOR  # type: ignore[attr-defined]
    assert view.__omni_decides__ is False  # type: ignore[attr-defined]
    with app.test_request_context(headers={"Authorization": "Bearer bob"}):
        assert view(1, second=2) == (1, 2)


def test_a_view_that_omni_decides_on_says_so(door: Door, accounts: Accounts) -> None:
    view = guard.require_role(Role.ADMIN, authorized_by_omni=True)(lambda: "in")
    assert view.__omni_decides__ is True  # type: ignore[attr-defined]
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True)) as own:
        accounts.answers["key"] = replace(NOBODYS, omni=own)
        with door().test_request_context(headers={"Authorization": "Bearer key"}):
            assert view() == "in"
            with pytest.raises(Problem):
                guard.require_role(Role.ADMIN)(lambda: "in")()


def test_a_public_view_is_marked_on_its_own_and_gets_what_the_route_passes() -> None:
    def view(first: int, *, second: int) -> tuple[int, int]:
        return first, second

    opened = guard.public(view)
    assert (opened(1, second=2), opened.__name__) == ((1, 2), "view")
    assert opened.__public__ is True  # type: ignore[attr-defined]
    assert not hasattr(view, "__public__")
