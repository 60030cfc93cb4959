"""Settings: what is read, what is refused, and that the docs tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omni_gateway.environment.variables import variables_of
from omni_gateway.omni.config import KEY_VARIABLES
from omni_gateway.settings import Settings, SettingsError

ROOT = Path(__file__).parents[3]


def test_without_any_variable_the_defaults_hold() -> None:
    assert Settings.load({}) == Settings()


def test_a_variable_sets_its_field() -> None:
    settings = Settings.load({"OMNI_GATEWAY_THREADS": "32", "OMNI_GATEWAY_CORS_ORIGINS": "https://a, https://b"})
    assert (settings.threads, settings.cors_origins) == (32, ("https://a", "https://b"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OMNI_GATEWAY_THREADS", "many", "Not a valid integer"),
        ("OMNI_GATEWAY_THREADS", "0", "1 to 256"),
        ("OMNI_GATEWAY_MAX_STREAMS", "16", "less than"),
        ("OMNI_GATEWAY_PLUGIN_ERRORS", "ignore", "stop or skip"),
        ("OMNI_GATEWAY_BOOTSTRAP_TOKEN", "short", "32 bytes"),
        ("OMNI_GATEWAY_LOG_LEVEL", "LOUD", "DEBUG"),
        ("OMNI_GATEWAY_DRAIN", "-1", "0 to 3600"),
        ("OMNI_GATEWAY_AUDIT_RETENTION_DAYS", "0", "1 to 3650"),
        ("OMNI_GATEWAY_AUDIT_MAX_ROWS", "-1", "0 or more"),
        ("OMNI_GATEWAY_CACHE_BYTES", "-1", "0 or more"),
        ("OMNI_GATEWAY_FLEET", "-1", "0 to 100000"),
        ("OMNI_GATEWAY_CONFIG_FILE", "/nowhere/at/all", "no such file"),
        ("OMNI_GATEWAY_OMNI_TIMEOUT", "soon", "Not a valid number"),
        ("OMNI_GATEWAY_OIDC_CA_FILE", "/nowhere/at/all", "cannot be read"),
        ("OMNI_GATEWAY_OIDC_CA_FILE", __file__, "no certificate"),
        ("OMNI_GATEWAY_OIDC_PRIVATE_ADDRESSES", "perhaps", "Not a valid boolean"),
        ("OMNI_GATEWAY_RATE_LIMIT", "lots", "100/minute"),
        ("OMNI_GATEWAY_FAILED_LOGINS", "-1", "100/minute"),
        ("OMNI_GATEWAY_FAILED_LOGINS_IN_ALL", "5", "100/minute"),
        ("OMNI_GATEWAY_MAX_STREAMS_PER_CALLER", "0", "at least 1"),
        ("OMNI_GATEWAY_REDIS_URL", "http://x", "redis://"),
        ("OMNI_GATEWAY_TRUSTED_PROXIES", "-1", "0 to 10"),
        ("OMNI_GATEWAY_REQUEST_TIMEOUT", "0", "1 to 3600"),
        ("OMNI_GATEWAY_ANSWER_TIMEOUT", "0", "1 to 3600"),
        ("OMNI_GATEWAY_TLS_CERT_FILE", "/nowhere", "TLS_KEY_FILE"),
        ("OMNI_GATEWAY_ALLOWED_HOSTS", "https://api.example", "not a host"),
        ("OMNI_GATEWAY_ALLOWED_HOSTS", "a.example,*.example", "not a host"),
        ("OMNI_GATEWAY_CORS_ORIGINS", "*", "exact origins"),
        ("OMNI_GATEWAY_CORS_ORIGINS", "https://.*[.]example", "exact origins"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: value})
    assert name in str(refused.value)
    assert words in str(refused.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.env"
    file.write_text("OMNI_GATEWAY_THREADS=20\nOMNI_GATEWAY_FLEET=3\n")
    settings = Settings.load({"OMNI_GATEWAY_CONFIG_FILE": str(file), "OMNI_GATEWAY_FLEET": "5"})
    assert (settings.threads, settings.fleet) == (20, 5)


def test_an_endpoint_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="OMNI_SERVICE_ACCOUNT_KEY"):
        Settings.load({"OMNI_ENDPOINT": "http://127.0.0.1:1"})


def test_the_bootstrap_token_is_not_in_the_repr() -> None:
    secret = "s" * 40
    assert secret not in repr(Settings.load({"OMNI_GATEWAY_BOOTSTRAP_TOKEN": secret}))


def test_the_password_of_redis_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(Settings.load({"OMNI_GATEWAY_REDIS_URL": "redis://:s3cret@127.0.0.1/0"}))


#: A valid value of each secret of the gateway's own.
SECRETS = {
    "OMNI_GATEWAY_STORE_URL": "sqlite:////srv/gateway.sqlite",
    "OMNI_GATEWAY_BOOTSTRAP_TOKEN": "b" * 40,
    "OMNI_GATEWAY_REDIS_URL": "redis://:s3cret@127.0.0.1/0",
}


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = [each for each in variables_of(Settings, "OMNI_GATEWAY_") if each.secret]
    assert {each.name for each in secret} == set(SECRETS)
    environ = {}
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(f"{value}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    settings = Settings.load(environ)
    assert {each.name: getattr(settings, each.field.name) for each in secret} == SECRETS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"", "which is empty"),
        (b"\n", "which is empty"),
        (b"\xff\xfe", "it is no text"),
        (b"http://s3cret", "must begin with redis://"),
    ],
)
def test_a_file_without_the_secret_is_refused_by_the_name_of_its_variable(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "redis-url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=words) as refused:
        Settings.load({"OMNI_GATEWAY_REDIS_URL_FILE": str(file)})
    assert "OMNI_GATEWAY_REDIS_URL" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", [*SECRETS, "OMNI_SERVICE_ACCOUNT_KEY", "SIDERO_SERVICE_ACCOUNT_KEY"])
def test_a_secret_and_its_file_are_not_both_taken(name: str) -> None:
    environ = {"OMNI_ENDPOINT": "http://127.0.0.1:1", name: "s3cret", f"{name}_FILE": "/run/secrets/it"}
    with pytest.raises(SettingsError, match=f"^{name} and {name}_FILE are both set; set one of them$"):
        Settings.load(environ)


def test_the_docs_name_every_secret_that_may_stand_in_a_file() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    section = page.partition("## Secrets in files")[2].partition("\n## ")[0]
    named = re.findall(r"^- `(\w+)_FILE`$", section, flags=re.M)
    assert named == [*KEY_VARIABLES, *SECRETS]


def test_the_docs_table_is_the_code() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `(OMNI_GATEWAY_\w+)` \| (.+?) \| (.*?) ?\|$", page, flags=re.M)
    code = []
    for variable in variables_of(Settings, "OMNI_GATEWAY_"):
        shown = variable.shown(variable.field.default)
        code.append((variable.name, variable.doc, f"`{shown}`" if shown else ""))
    assert rows == code
