"""The five lines at the end of a start, for each way to serve."""

from __future__ import annotations

import pytest

from omni_gateway.omni import OmniConfig
from omni_gateway.server.start_summary import summary
from omni_gateway.settings import Settings


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/api/v1"),
        ("0.0.0.0:80", "http://127.0.0.1:80/api/v1"),
        (":8080", "http://127.0.0.1:8080/api/v1"),
        ("[::1]:8080", "http://[::1]:8080/api/v1"),
        ("[::]:8080", "http://[::1]:8080/api/v1"),
        ("gateway.example:8080", "http://gateway.example:8080/api/v1"),
        ("unix:/run/gateway.sock", "http://localhost/api/v1  (at unix:/run/gateway.sock)"),
    ],
)
def test_the_api_is_named_by_a_url_that_works_on_this_machine(bind: str, url: str) -> None:
    assert f"  API       {url}\n" in summary(bind, Settings(), None)


def test_with_a_certificate_it_is_https() -> None:
    assert "https://127.0.0.1:8443/api/v1" in summary(
        "127.0.0.1:8443", Settings(tls_cert_file="c", tls_key_file="k"), None
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(), "for a new one, in this folder: omni-gateway token create NAME --role admin"),
        (Settings(auth=("off",)), "none is needed: authentication is off, every caller is an admin"),
        (Settings(auth=("oidc",)), "the gateway's own are not accepted (OMNI_GATEWAY_AUTH=oidc)"),
        (Settings(bootstrap_token="b" * 32), "the one of OMNI_GATEWAY_BOOTSTRAP_TOKEN"),
    ],
)
def test_the_token_line_says_how_callers_get_in(settings: Settings, words: str) -> None:
    assert "  Token     " in (text := summary("127.0.0.1:8080", settings, None))
    assert words in text
    assert "b" * 32 not in text


def test_a_real_omni_is_named() -> None:
    settings = Settings(omni=OmniConfig(endpoint="https://omni.example.com"))
    assert "  Omni      https://omni.example.com\n" in summary("127.0.0.1:8080", settings, None)


def test_a_transport_that_was_asked_for_is_named() -> None:
    settings = Settings(omni=OmniConfig(endpoint="https://omni.example.com", transport="http"))
    assert "https://omni.example.com  (over its HTTP gateway)\n" in summary("127.0.0.1:8080", settings, None)


def test_the_port_of_a_passed_socket_is_not_said_to_be_a_setting() -> None:
    text = summary("127.0.0.1:8080", Settings(), None, passed=True)
    assert "  Port      that of the service manager's socket\n" in text
    assert "OMNI_GATEWAY_BIND" not in text
