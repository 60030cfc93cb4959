"""TLS: whom the client trusts, and what it says when it does not."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, errors
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey, serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")


@dataclass(frozen=True)
class Certificates:
    """An authority, and a server's certificate signed by it."""

    ca_file: Path
    certificate: bytes
    private_key: bytes


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def new_certificate(directory: Path, subject: str, *extra: str | Path) -> tuple[Path, Path]:
    private_key, certificate = directory / f"{subject}.key", directory / f"{subject}.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req",
        "-x509",
        *curve,
        "-keyout",
        private_key,
        "-out",
        certificate,
        "-days",
        "2",
        "-subj",
        f"/CN={subject}",
        *extra,
    )
    return private_key, certificate


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Certificates]:
    """Make a server's certificate for the given alternative names."""

    def make(names: str) -> Certificates:
        directory = tmp_path_factory.mktemp("tls")
        ca_key, ca = new_certificate(directory, "authority")
        extra = ("-CA", ca, "-CAkey", ca_key, "-addext", "basicConstraints=critical,CA:FALSE")
        names_given = ("-addext", f"subjectAltName={names}") if names else ()
        private_key, certificate = new_certificate(directory, "omni.test", *extra, *names_given)
        return Certificates(ca, certificate.read_bytes(), private_key.read_bytes())

    return make


@contextmanager
def serving_tls(certificates: Certificates) -> Iterator[ScriptedOmni]:
    credentials = grpc.ssl_server_credentials([(certificates.private_key, certificates.certificate)])
    with serving(credentials) as omni:
        yield omni


@pytest.fixture(scope="module")
def certificates(issue: Callable[[str], Certificates]) -> Certificates:
    return issue("DNS:localhost,IP:127.0.0.1")


def client_of(omni: ScriptedOmni, key: TestKey, **trust: object) -> AbstractContextManager[OmniClient]:
    return OmniClient(OmniConfig(f"https://127.0.0.1:{omni.port}", key.text, **trust))


def test_a_private_authority_is_trusted_by_its_file(certificates: Certificates, key: TestKey) -> None:
    with serving_tls(certificates) as omni, client_of(omni, key, ca_file=str(certificates.ca_file)) as client:
        client.ping(timeout=10)
    assert omni.asked


def test_a_server_that_no_authority_vouches_for_is_unavailable(
    certificates: Certificates, issue: Callable[[str], Certificates], key: TestKey
) -> None:
    wrong = str(issue("DNS:localhost").ca_file)
    refused = pytest.raises(errors.Unavailable)
    with serving_tls(certificates) as omni, client_of(omni, key, ca_file=wrong) as client, refused:
        client.ping(timeout=5)
    assert omni.asked == []


def test_the_systems_authorities_do_not_vouch_for_it_either(certificates: Certificates, key: TestKey) -> None:
    with serving_tls(certificates) as omni, client_of(omni, key) as client, pytest.raises(errors.Unavailable):
        client.ping(timeout=5)


@pytest.mark.parametrize("names", ["DNS:localhost,IP:127.0.0.1", "DNS:omni.elsewhere.test", "DNS:*.elsewhere.test", ""])
def test_insecure_takes_the_certificate_it_sees_whatever_its_name(
    names: str, issue: Callable[[str], Certificates], key: TestKey, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_tls(issue(names)) as omni, client_of(omni, key, insecure=True) as client:
        client.ping(timeout=10)
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "OMNI_INSECURE" in warning.getMessage() and str(omni.port) in warning.getMessage()


def test_insecure_in_front_of_a_plaintext_server_is_unavailable(key: TestKey) -> None:
    refused = pytest.raises(errors.Unavailable, match="no certificate")
    with serving() as omni, client_of(omni, key, insecure=True) as client, refused:
        client.ping(timeout=5)


def test_plaintext_to_another_machine_is_warned_about(key: TestKey, caplog: pytest.LogCaptureFixture) -> None:
    with OmniClient(OmniConfig("http://omni.invalid", key.text)) as client, pytest.raises(errors.OmniError):
        client.ping(timeout=1)
    assert "unencrypted" in caplog.text
