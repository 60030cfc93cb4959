"""Where the gateway goes for an issuer's documents, and what it puts up with there."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from omni_gateway import __version__
from omni_gateway.auth.oidc import Fetcher, IssuerChecks
from omni_gateway.auth.oidc.discovery import is_plain_loopback
from omni_gateway.auth.oidc.fetcher import LARGEST, FetchError
from omni_gateway.auth.oidc.fetcher import _reason as reason
from tests.issuer import DISCOVERY, KEYS, Issuer, ec, first_key, reply, running_issuer

from .certificates import served_as

LET_IN = Fetcher(private_addresses=True)


def read(url: str, fetcher: Fetcher = LET_IN, plain: bool = True) -> Any:
    return fetcher.read(fetcher.locate(url, plain=plain))


def refused(url: str, fetcher: Fetcher = LET_IN, plain: bool = True) -> str:
    with pytest.raises(FetchError) as error:
        read(url, fetcher, plain)
    return str(error.value)


class Names:
    """A name server under a test's control."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (family[":" in text], socket.SOCK_STREAM, 6, "", (text, port, 0, 0) if ":" in text else (text, port))
            for text in self.addresses[host]
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr("omni_gateway.auth.oidc.addresses.socket.getaddrinfo", names)
    return names


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "127.0.0.1",
        "",
        "https://",
        "https://me:secret@127.0.0.1/",
        "https://127.0.0.1/#x",
        "https://127.0.0.1:x/",
        "https://127.0.0.1:99999/",
        "https://[::1",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/\r\nX: y",
        "https://b\u00fccher.example/",
        "https://127.0.0.1/" + "x" * 2000,
    ],
)
def test_what_is_no_https_url_is_not_gone_to(url: str) -> None:
    assert refused(url).startswith(("The URL", "The host"))


def test_http_is_for_issuers_of_development(issuer: Issuer) -> None:
    assert "https" in refused(f"{issuer.url}{DISCOVERY}", plain=False)
    assert issuer.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
    ],
)
def test_private_addresses_are_gone_to_only_where_a_setting_allows_it(names: Names, address: str) -> None:
    names.addresses = {"login.example.com": [address]}
    with pytest.raises(FetchError, match="OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES"):
        Fetcher().locate("https://login.example.com/", plain=False)
    assert Fetcher(private_addresses=True).locate("https://login.example.com/", plain=False).host


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
@pytest.mark.parametrize("private", [True, False])
def test_link_local_multicast_and_reserved_addresses_are_never_gone_to(
    names: Names, address: str, private: bool
) -> None:
    names.addresses = {"login.example.com": [address]}
    with pytest.raises(FetchError, match="may not be connected to"):
        Fetcher(private_addresses=private).locate("https://login.example.com/", plain=False)


def test_public_addresses_are_gone_to(names: Names) -> None:
    names.addresses = {"login.example.com": ["93.184.216.34", "2606:4700::1111"]}
    place = Fetcher().locate("https://login.example.com/", plain=False)
    assert [where[0] for _, where in place.addresses] == ["93.184.216.34", "2606:4700::1111"]


def test_one_private_address_among_public_ones_is_one_too_many(names: Names) -> None:
    names.addresses = {"login.example.com": ["93.184.216.34", "10.0.0.1"]}
    with pytest.raises(FetchError, match=r"10\.0\.0\.1"):
        Fetcher().locate("https://login.example.com/", plain=False)


def test_http_goes_to_loopback_and_nowhere_else(names: Names) -> None:
    names.addresses = {"localhost": ["10.0.0.1"]}
    with pytest.raises(FetchError, match="loopback"):
        Fetcher(private_addresses=True).locate("http://localhost/", plain=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_other_spellings_of_a_loopback_address_are_the_same_address(host: str) -> None:
    assert "may not be connected to" in refused(f"https://{host}/", Fetcher(), plain=False)


def test_a_name_without_an_address_is_told(names: Names) -> None:
    assert "has no address" in refused("https://nowhere.example.com/")


def test_a_name_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Event()
    monkeypatch.setattr("omni_gateway.auth.oidc.addresses.socket.getaddrinfo", lambda *_, **__: [][silent.wait(60) :])
    assert "longer" in refused("https://login.example.com/", Fetcher(seconds=0.1))
    silent.set()


@pytest.fixture
def secure(tmp_path: Path, names: Names) -> Iterator[tuple[Issuer, Fetcher]]:
    """An issuer behind TLS, called ``login.test`` by the name server and by its certificate."""
    names.addresses = {"login.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
    ca_file, context = served_as("login.test", tmp_path)
    with running_issuer(name="login.test", tls=context) as issuer:
        yield issuer, Fetcher(private_addresses=True, ca_file=str(ca_file))


def test_a_document_is_read_over_tls_from_the_checked_address(secure: tuple[Issuer, Fetcher], names: Names) -> None:
    issuer, fetcher = secure
    place = fetcher.locate(f"{issuer.url}{DISCOVERY}", plain=False)
    names.addresses = {"login.test": ["10.9.9.9"]}  # the name moves after the check: DNS rebinding
    assert fetcher.read(place) == issuer.discovery
    assert names.asked == ["login.test"]
    assert issuer.headers[0]["Host"] == issuer.url.removeprefix("https://")


def test_a_certificate_of_another_name_is_not_trusted(secure: tuple[Issuer, Fetcher]) -> None:
    issuer, fetcher = secure
    url = issuer.url.replace("login.test", "other.test")
    assert "not trusted" in refused(f"{url}{DISCOVERY}", fetcher, plain=False)
    assert issuer.asked == []


def test_a_certificate_of_an_unknown_authority_is_not_trusted(secure: tuple[Issuer, Fetcher]) -> None:
    issuer, _ = secure
    assert "not trusted" in refused(f"{issuer.url}{DISCOVERY}", LET_IN, plain=False)
    assert issuer.asked == []


def test_a_server_without_tls_is_told(issuer: Issuer) -> None:
    assert "TLS failed" in refused(issuer.url.replace("http:", "https:"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(issuer: Issuer, status: int) -> None:
    issuer.answers[DISCOVERY] = lambda handler: reply(handler, {}, status, Location=f"{issuer.url}{KEYS}")
    assert "redirect" in refused(f"{issuer.url}{DISCOVERY}")
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize("status", [201, 204, 404, 500, 503])
def test_any_other_status_is_told(issuer: Issuer, status: int) -> None:
    issuer.say(DISCOVERY, b"", status)
    assert str(status) in refused(f"{issuer.url}{DISCOVERY}")


def test_the_proxies_of_the_environment_are_not_used(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert read(f"{issuer.url}{DISCOVERY}") == issuer.discovery


def test_nothing_of_the_gateway_is_sent_along(issuer: Issuer) -> None:
    read(f"{issuer.url}{DISCOVERY}")
    assert {name.lower() for name in issuer.headers[0]} == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
    }


def test_a_document_that_is_too_large_is_refused(issuer: Issuer) -> None:
    issuer.say(KEYS, b'"' + b"x" * LARGEST + b'"')
    assert "more than" in refused(f"{issuer.url}{KEYS}")


def test_an_endless_document_is_refused(issuer: Issuer) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"[" * 65536)

    issuer.answers[KEYS] = endless
    assert "more than" in refused(f"{issuer.url}{KEYS}")


def test_a_deeply_nested_document_is_refused(issuer: Issuer) -> None:
    issuer.say(KEYS, b"[" * 20_000 + b"]" * 20_000)
    assert "JSON" in refused(f"{issuer.url}{KEYS}")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1, "a": 2}', b"{", b"\xff", b"NaN"])
def test_what_is_no_json_is_refused(issuer: Issuer, body: bytes) -> None:
    issuer.say(KEYS, body)
    assert "JSON" in refused(f"{issuer.url}{KEYS}")


@pytest.fixture
def end() -> Iterator[Event]:
    """Ends what an issuer drips."""
    event = Event()
    yield event
    event.set()


@pytest.mark.parametrize("part", ["status", "headers", "body", "nothing"])
def test_a_slow_answer_is_cut_off_however_regularly_it_drips(issuer: Issuer, end: Event, part: str) -> None:
    begins = {
        "status": b"H",
        "headers": b"HTTP/1.1 200 OK\r\nX: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "nothing": b"",
    }

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begins[part])
        while not end.wait(0.05):
            if part != "nothing":
                handler.wfile.write(b"x")

    issuer.answers[KEYS] = drip
    assert "longer than" in refused(f"{issuer.url}{KEYS}", Fetcher(private_addresses=True, seconds=0.6))


def test_a_handshake_that_never_ends_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert "longer than" in refused(url, Fetcher(private_addresses=True, seconds=0.3))


def test_nobody_there_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    assert "refused" in refused(url)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ssl.SSLCertVerificationError(1, "x"), "its certificate is not trusted ({message})"),
        (OSError(111, "Connection refused"), "connection refused"),
        (OSError("Odd"), "odd"),
        (OSError(), "cut off"),
        (http.client.BadStatusLine("sent by the peer"), "its response is not valid HTTP"),
        (ValueError("sent by the peer"), "its response is not valid HTTP"),
    ],
    ids=repr,
)
def test_the_reason_of_a_failure_has_nothing_that_the_peer_sent(error: Exception, text: str) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    assert reason(error) == text.format(message="self-signed certificate")


@pytest.mark.parametrize(("said", "text"), [("WRONG_VERSION_NUMBER", "WRONG_VERSION_NUMBER"), (None, "cut off")])
def test_the_reason_of_a_failed_handshake_is_that_of_the_tls_library(said: str | None, text: str) -> None:
    error = ssl.SSLError(1, "sent by the peer")
    error.reason = said  # type: ignore[assignment]
    assert reason(error) == f"TLS failed ({text})"


INVALID, TOO_LONG, MORE_THAN_A_PLACE = (
    "The URL is invalid.",
    "The URL is invalid, or longer than 2000 characters.",
    "The URL has a user name, a password or a fragment.",
)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://127.0.0.1:x/", INVALID),
        ("https://[::1", INVALID),
        ("https://", TOO_LONG),
        ("https://127.0.0.1/a b", TOO_LONG),
        ("https://127.0.0.1/" + "x" * 1983, TOO_LONG),
        ("https://me@127.0.0.1/", MORE_THAN_A_PLACE),
        ("https://:secret@127.0.0.1/", MORE_THAN_A_PLACE),
        ("https://127.0.0.1/#x", MORE_THAN_A_PLACE),
        ("http://127.0.0.1/", "The URL is not an https URL."),
        ("ftp://127.0.0.1/", "The URL is not an https URL."),
        ("https://nowhere.example.com/", "The host nowhere.example.com has no address: name or service not known."),
    ],
)
def test_a_url_that_is_not_gone_to_is_told_with_the_reason(names: Names, url: str, text: str) -> None:
    assert refused(url, plain=False) == text


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://login.test", ("login.test", 443, "/", True)),
        ("https://LOGIN.test:8443/a/b?c=d&e", ("login.test", 8443, "/a/b?c=d&e", True)),
        ("https://login.test/" + "x" * 1981, ("login.test", 443, "/" + "x" * 1981, True)),
        ("http://login.test/a", ("login.test", 80, "/a", False)),
    ],
)
def test_a_url_is_located(names: Names, url: str, place: tuple[str, int, str, bool]) -> None:
    names.addresses = {"login.test": ["127.0.0.1"]}
    found = LET_IN.locate(url, plain=True)
    assert (found.host, found.port, found.path, found.tls) == place
    assert found.addresses == [(socket.AF_INET, ("127.0.0.1", place[1]))]


def test_no_more_than_four_addresses_are_tried_and_all_are_checked(names: Names) -> None:
    names.addresses = {"login.test": [f"127.0.0.{number}" for number in range(1, 7)]}
    assert len(LET_IN.locate("https://login.test/", plain=False).addresses) == 4
    names.addresses["login.test"].append("169.254.169.254")
    assert "never connected to" in refused("https://login.test/", plain=False)


def test_the_next_address_is_tried_when_one_does_not_accept(issuer: Issuer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = (socket.AF_INET, closed.getsockname())
    place = LET_IN.locate(f"{issuer.url}{DISCOVERY}", plain=True)
    assert LET_IN.read(replace(place, addresses=[nobody, *place.addresses])) == issuer.discovery


def test_an_issuer_is_asked_for_json_in_the_name_of_the_gateway(issuer: Issuer) -> None:
    read(f"{issuer.url}{DISCOVERY}")
    sent = {name.lower(): text for name, text in issuer.headers[0].items()}
    assert (sent["accept"], sent["connection"], sent["user-agent"]) == (
        "application/json",
        "close",
        f"omni-gateway/{__version__}",
    )


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (302, b"", "127.0.0.1 answered with a redirect (302), which is not followed."),
        (300, b"", "127.0.0.1 answered with a redirect (300), which is not followed."),
        (399, b"", "127.0.0.1 answered with a redirect (399), which is not followed."),
        (400, b"", "127.0.0.1 answered 400."),
        (201, b"{}", "127.0.0.1 answered 201."),
        (200, b"{", "127.0.0.1 sent invalid or ambiguous JSON."),
        (200, b"[" * 17 + b"]" * 17, "127.0.0.1 sent invalid or ambiguous JSON."),
        (200, b'"' + b"x" * LARGEST, f"127.0.0.1 sent more than {LARGEST} bytes."),
    ],
    ids=["302", "300", "399", "400", "201", "no JSON", "deep", "large"],
)
def test_an_answer_that_is_not_used_is_told_with_the_reason(
    issuer: Issuer, status: int, body: bytes, text: str
) -> None:
    issuer.say(KEYS, body, status)
    assert refused(f"{issuer.url}{KEYS}") == text


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'"' + b"x" * (LARGEST - 2) + b'"', "x" * (LARGEST - 2)), (b"[" * 16 + b"]" * 16, None)],
    ids=["large", "deep"],
)
def test_a_document_of_the_greatest_size_and_depth_is_read(issuer: Issuer, body: bytes, value: Any) -> None:
    issuer.say(KEYS, body)
    assert read(f"{issuer.url}{KEYS}") == (json.loads(body) if value is None else value)


def test_an_issuer_that_does_not_speak_http_is_told(issuer: Issuer) -> None:
    issuer.answers[KEYS] = lambda handler: handler.wfile.write(b"x" * 10 + b"\r\n\r\n")
    assert refused(f"{issuer.url}{KEYS}") == "127.0.0.1 gave no answer: its response is not valid HTTP."


def test_a_check_tells_each_step(issuer: Issuer) -> None:
    report = IssuerChecks(LET_IN, True).check(issuer.url)
    assert [(step.name, step.ok, step.detail) for step in report.steps] == [
        ("discovery-address", True, "127.0.0.1 is at 127.0.0.1."),
        ("discovery-document", True, "The discovery document was read."),
        ("issuer", True, "It names exactly this issuer."),
        ("keys-address", True, "127.0.0.1 is at 127.0.0.1."),
        ("keys-document", True, "The key set was read."),
        ("keys", True, "1 can be used (PS256, PS384, PS512, RS256, RS384, RS512)."),
    ]


@pytest.mark.parametrize(
    ("path", "says", "step", "detail"),
    [
        (DISCOVERY, [], "discovery-document", "The discovery document is not a JSON object."),
        (DISCOVERY, {}, "issuer", "The discovery document is of another issuer: none."),
        (
            DISCOVERY,
            {"issuer": "x\n" + "y" * 300},
            "issuer",
            "The discovery document is of another issuer: 'x\\n" + "y" * 198 + "'.",
        ),
        (DISCOVERY, {"issuer": "SELF"}, "keys-address", "The discovery document has no `jwks_uri`."),
        (KEYS, [], "keys", "The document is not a key set: it has no list `keys`."),
        (KEYS, {"keys": []}, "keys", "The key set has no key that can be used."),
        (
            KEYS,
            {"keys": ["x", {}]},
            "keys",
            "The key set has no key that can be used. Left out: key 0: it is not an object; "
            "key 1: its type or curve is not supported for signatures.",
        ),
    ],
)
def test_a_check_tells_the_step_that_fails_with_the_reason(
    issuer: Issuer, path: str, says: Any, step: str, detail: str
) -> None:
    issuer.say(path, {**says, "issuer": issuer.url} if says == {"issuer": "SELF"} else says)
    report = IssuerChecks(LET_IN, True).check(issuer.url)
    last = report.steps[-1]
    assert (last.name, last.ok, last.detail, report.ok) == (step, False, detail, False)


def test_a_check_tells_the_keys_that_are_left_out_besides_those_that_are_used(issuer: Issuer) -> None:
    issuer.keys = [first_key(), ec("e")]
    issuer.say(KEYS, {"keys": [*issuer.key_set["keys"], "x"]})
    assert steps(issuer.url)[1] == (
        "2 can be used (ES256, PS256, PS384, PS512, RS256, RS384, RS512). Left out: key 2: it is not an object."
    )


@pytest.mark.parametrize(
    ("issuer", "plain"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost/x", True),
        ("http://[::1]", True),
        ("https://127.0.0.1", False),
        ("http://10.0.0.1", False),
        ("http://login.example.com", False),
        ("http://", False),
        ("http://[::1", False),
    ],
)
def test_http_is_for_issuers_at_loopback_addresses(issuer: str, plain: bool) -> None:
    assert is_plain_loopback(issuer) is plain


def steps(issuer: str, fetcher: Fetcher = LET_IN) -> tuple[list[str], str]:
    """Return the steps that went well, and what is said of the last."""
    report = IssuerChecks(fetcher, True).check(issuer)
    assert report.ok == all(step.ok for step in report.steps)
    return [step.name for step in report.steps if step.ok], report.steps[-1].detail


ALL = ["discovery-address", "discovery-document", "issuer", "keys-address", "keys-document", "keys"]


def test_a_check_of_a_good_issuer_goes_all_the_way(issuer: Issuer) -> None:
    done, detail = steps(issuer.url)
    assert done == ALL
    assert "1 can be used (PS256, PS384, PS512, RS256, RS384, RS512)" in detail


@pytest.mark.parametrize(
    ("path", "says", "done", "words"),
    [
        (DISCOVERY, [], 1, "not a JSON object"),
        (DISCOVERY, {}, 2, "another issuer: none"),
        (DISCOVERY, {"issuer": "https://login.example.com"}, 2, "https://login.example.com"),
        (DISCOVERY, {"issuer": "SELF"}, 3, "jwks_uri"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": 7}, 3, "jwks_uri"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": "http://169.254.169.254/latest"}, 3, "loopback"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": "http://10.0.0.1/keys"}, 3, "loopback"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": "https://169.254.169.254/keys"}, 3, "never connected"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": "file:///etc/passwd"}, 3, "URL is invalid"),
        (DISCOVERY, {"issuer": "SELF", "jwks_uri": "ftp://127.0.0.1/keys"}, 3, "https"),
        (KEYS, [], 5, "no list"),
        (KEYS, {"keys": {}}, 5, "no list"),
        (KEYS, {"keys": []}, 5, "no key that can be used"),
        (KEYS, {"keys": [{}] * 101}, 5, "more than 100"),
        (KEYS, {"keys": ["x", {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "EC", "crv": "secp256k1"}]}, 5, "type or curve"),
        (KEYS, {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, 5, "17 bits"),
        (KEYS, {"keys": [{"kty": "RSA", "n": "_" * 2000, "e": "AQAB"}]}, 5, "12000 bits"),
        (KEYS, {"keys": [{"kty": "RSA", "n": 7, "e": "AQAB"}]}, 5, "no key"),
        (KEYS, {"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]}, 5, "no key"),
        (KEYS, {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}, 5, "no key"),
        (KEYS, {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": 7}]}, 5, "kid"),
        (KEYS, {"keys": [{"kty": "OKP", "crv": "X25519", "x": "AAAA"}]}, 5, "type or curve"),
    ],
)
def test_a_check_stops_where_something_is_wrong(issuer: Issuer, path: str, says: Any, done: int, words: str) -> None:
    if isinstance(says, dict) and says.get("issuer") == "SELF":
        says = {**says, "issuer": issuer.url}
    issuer.say(path, says)
    names, detail = steps(issuer.url)
    assert names == ALL[:done]
    assert words in detail
    assert "c2VjcmV0" not in detail


def test_a_published_secret_key_is_left_out_and_told_without_itself(issuer: Issuer) -> None:
    secret = issuer.keys[0].as_dict(private=True)
    issuer.say(KEYS, {"keys": [secret]})
    _, detail = steps(issuer.url)
    assert "secret key" in detail
    assert str(secret["d"])[:20] not in detail


def test_a_check_tells_of_an_address_that_is_not_allowed(issuer: Issuer) -> None:
    names, detail = steps(issuer.url, Fetcher())
    assert names == []
    assert "OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES" in detail
    assert issuer.asked == []


def test_an_issuer_with_a_path_is_discovered_below_it(issuer: Issuer) -> None:
    url = f"{issuer.url}/realms/one/"
    issuer.say(f"/realms/one{DISCOVERY}", {"issuer": url, "jwks_uri": f"{issuer.url}{KEYS}"})
    assert steps(url)[0] == ALL
