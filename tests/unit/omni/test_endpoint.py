"""OMNI_ENDPOINT: which texts name an Omni, what they mean, and what is said about those that do not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.omni import ConfigError
from omni_gateway.omni.endpoint import Endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://omni.example.com", Endpoint("omni.example.com", 443, True)),
        ("https://omni.example.com/", Endpoint("omni.example.com", 443, True)),
        ("https://omni.example.com:8443", Endpoint("omni.example.com", 8443, True)),
        ("http://127.0.0.1:8080", Endpoint("127.0.0.1", 8080, False)),
        ("http://localhost", Endpoint("localhost", 80, False)),
        ("HTTPS://OMNI.Example.COM", Endpoint("omni.example.com", 443, True)),
        ("  https://omni.example.com\n", Endpoint("omni.example.com", 443, True)),
        ("https://[2001:db8:0::1]", Endpoint("2001:db8::1", 443, True)),
        ("http://[::1]:8080", Endpoint("::1", 8080, False)),
        ("https://ömni.example", Endpoint("xn--mni-rna.example", 443, True)),
    ],
)
def test_a_url_names_host_port_and_whether_to_speak_tls(url: str, expected: Endpoint) -> None:
    assert parse_endpoint(url) == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is empty"),
        ("omni.example.com", "https://"),
        ("omni.example.com:443", "https://"),
        ("grpc://omni.example.com", "https://"),
        ("https://", "no valid host"),
        ("https://:443", "no valid host"),
        ("https://a..b", "not a valid DNS name"),
        ("https://omni.example.com:", "no port after it"),
        ("https://omni.example.com:0", "between 1 and 65535"),
        ("https://omni.example.com:65536", "between 1 and 65535"),
        ("https://omni.example.com:https", "between 1 and 65535"),
        ("https://[::1", "cannot be read"),
        ("https://[fe80::1%25eth0]", "IPv6 address"),
        ("https://omni.example.com/path", "end after the host"),
        ("https://omni.example.com?x=1", "end after the host"),
        ("https://omni.example.com#x", "end after the host"),
        ("https://omni example.com", "spaces"),
        ("https://omni.example.com\x00", "control characters"),
        ("https://" + "a" * 3000, "too long"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_setting(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match="OMNI_ENDPOINT") as refused:
        parse_endpoint(url)
    assert said in str(refused.value)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_endpoint("https://me:hunter2@omni.example.com")
    assert "hunter2" not in str(refused.value)


def test_an_ipv6_address_is_bracketed_where_a_port_follows() -> None:
    endpoint = parse_endpoint("http://[::1]:8080")
    assert (endpoint.authority, endpoint.target) == ("[::1]:8080", "dns:///[::1]:8080")


@pytest.mark.parametrize("host", ["localhost", "omni.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_loopback(host: str) -> None:
    assert parse_endpoint(f"http://{host}").loopback


@pytest.mark.parametrize("host", ["omni.example.com", "10.0.0.1", "[2001:db8::1]", "notlocalhost"])
def test_another_machine_is_not_loopback(host: str) -> None:
    assert not parse_endpoint(f"http://{host}").loopback


@given(
    host=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,20}){0,3}", fullmatch=True),
    port=st.integers(1, 65535),
    tls=st.booleans(),
)
def test_what_is_written_is_read_back(host: str, port: int, tls: bool) -> None:
    scheme = "https" if tls else "http"
    assert parse_endpoint(f"{scheme}://{host}:{port}") == Endpoint(host, port, tls)


@given(st.one_of(st.text(), st.text(alphabet=string.printable).map(lambda rest: "https://" + rest)))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except ConfigError:
        return
    assert endpoint.target.isascii() and 1 <= endpoint.port <= 65535
