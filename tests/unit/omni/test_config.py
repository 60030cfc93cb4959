"""The client's settings: where each comes from, which wins, what is said when one cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_gateway.omni import ConfigError, OmniClient, OmniConfig

ENDPOINT = "https://omni.example.com"


def test_the_environment_names_omni_and_the_key(service_account_key: str) -> None:
    config = OmniConfig.from_environ({"OMNI_ENDPOINT": ENDPOINT, "OMNI_SERVICE_ACCOUNT_KEY": service_account_key})
    assert config == OmniConfig(ENDPOINT, service_account_key)


def test_the_sidero_key_wins(service_account_key: str) -> None:
    environ = {
        "OMNI_ENDPOINT": ENDPOINT,
        "SIDERO_SERVICE_ACCOUNT_KEY": service_account_key,
        "OMNI_SERVICE_ACCOUNT_KEY": "not even looked at",
    }
    assert OmniConfig.from_environ(environ).service_account_key == service_account_key


@pytest.mark.parametrize(("text", "expected"), [("", False), ("0", False), ("True", True), ("yes", True)])
def test_insecure_is_a_flag(service_account_key: str, text: str, expected: bool) -> None:
    environ = {"OMNI_ENDPOINT": ENDPOINT, "OMNI_SERVICE_ACCOUNT_KEY": service_account_key, "OMNI_INSECURE": text}
    assert OmniConfig.from_environ(environ).insecure is expected


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"OMNI_ENDPOINT": ""}, "OMNI_ENDPOINT"),
        ({"OMNI_ENDPOINT": "omni"}, "OMNI_ENDPOINT"),
        ({"OMNI_SERVICE_ACCOUNT_KEY": " "}, "OMNI_SERVICE_ACCOUNT_KEY"),
        ({"OMNI_SERVICE_ACCOUNT_KEY": "sesame"}, "OMNI_SERVICE_ACCOUNT_KEY"),
        ({"SIDERO_SERVICE_ACCOUNT_KEY": "sesame"}, "SIDERO_SERVICE_ACCOUNT_KEY"),
        ({"OMNI_INSECURE": "perhaps"}, "OMNI_INSECURE"),
        ({"OMNI_CA_FILE": "/no/such/file"}, "OMNI_CA_FILE"),
        ({"OMNI_CA_FILE": "/dev/null"}, "OMNI_CA_FILE"),
    ],
)
def test_a_setting_that_cannot_work_is_named_and_no_secret_repeated(
    service_account_key: str, changed: dict[str, str], variable: str
) -> None:
    environ = {"OMNI_ENDPOINT": ENDPOINT, "OMNI_SERVICE_ACCOUNT_KEY": service_account_key, **changed}
    with pytest.raises(ConfigError) as refused:
        OmniConfig.from_environ(environ)
    assert variable in str(refused.value)
    assert "sesame" not in str(refused.value)


def test_a_ca_file_is_read(tmp_path: Path) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "ca.pem").write_bytes(pem)
    assert OmniConfig(ENDPOINT, ca_file=str(tmp_path / "ca.pem")).trust_roots() == pem


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"max_message_bytes": -1}])
def test_limits_must_allow_something(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        OmniConfig(ENDPOINT, **wrong)


@pytest.mark.parametrize(("given", "transport"), [("", "auto"), ("HTTP ", "http"), ("grpc", "grpc")])
def test_the_transport_may_be_named(given: str, transport: str) -> None:
    environ = {"OMNI_ENDPOINT": ENDPOINT, "OMNI_TRANSPORT": given}
    assert OmniConfig.from_environ(environ, key_needed=False).transport == transport


def test_a_transport_that_there_is_not_is_told_by_the_variables_name() -> None:
    with pytest.raises(ConfigError, match="OMNI_TRANSPORT must be auto, grpc or http"):
        OmniConfig.from_environ({"OMNI_ENDPOINT": ENDPOINT, "OMNI_TRANSPORT": "h2"}, key_needed=False)


def test_the_key_shows_in_no_repr(service_account_key: str) -> None:
    config = OmniConfig(ENDPOINT, service_account_key)
    assert service_account_key not in repr(config) + repr(OmniClient(config))


def test_a_client_knows_who_it_is_without_a_call(service_account_key: str) -> None:
    client = OmniClient(OmniConfig(ENDPOINT, service_account_key))
    assert client.identity.name == "automation"
    assert repr(client) == "OmniClient(omni.example.com:443, as 'automation')"


def test_a_client_of_an_expired_key_can_be_made_so_that_start_up_can_say_so(expired_key: str) -> None:
    assert OmniClient(OmniConfig(ENDPOINT, expired_key)).identity.expired()


def test_a_client_without_a_key_is_nobody() -> None:
    assert OmniClient(OmniConfig(ENDPOINT)).identity.name == ""


def test_the_key_may_stand_in_a_file(tmp_path: Path, service_account_key: str) -> None:
    file = tmp_path / "key"
    file.write_text(service_account_key + "\n")
    config = OmniConfig.from_environ(
        {"OMNI_ENDPOINT": "http://127.0.0.1:1", "OMNI_SERVICE_ACCOUNT_KEY_FILE": str(file)}
    )
    assert config.service_account_key == service_account_key


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"no key"])
def test_a_file_that_holds_no_key_is_told_by_the_variables_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="OMNI_SERVICE_ACCOUNT_KEY_FILE"):
        OmniConfig.from_environ({"OMNI_ENDPOINT": "http://127.0.0.1:1", "OMNI_SERVICE_ACCOUNT_KEY_FILE": str(file)})


def test_no_key_is_needed_where_callers_bring_theirs() -> None:
    config = OmniConfig.from_environ({"OMNI_ENDPOINT": "http://127.0.0.1:1"}, key_needed=False)
    assert config.service_account_key == ""
