"""Annotations of a cluster's Services, through Omni's Kubernetes proxy (facts: machine-auth-side 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import yaml

from omni_gateway.sdk import OmniClient, Problem

#: What Omni's exposer reads.
PREFIX = "omni-kube-service-exposer.sidero.dev/"
USER = "omni-gateway"
#: It must hold for the one or two calls of a request.
TOKEN_LIFE = timedelta(minutes=5)
SECONDS = 10.0


def exposed_by(omni: OmniClient, cluster: str, namespace: str, service: str) -> Mapping[str, str]:
    """Return the exposer's annotations of a Service, without their prefix; a 404 problem when it is not there."""
    with _services(omni, cluster) as api, _told(cluster, namespace, service):
        found = api.read_namespaced_service(service, namespace, _request_timeout=SECONDS)
    notes = found.metadata.annotations or {}
    return {key.removeprefix(PREFIX): value for key, value in notes.items() if key.startswith(PREFIX)}


def annotate(omni: OmniClient, cluster: str, namespace: str, service: str, notes: Mapping[str, str | None]) -> None:
    """Set the exposer's annotations of a Service; None takes one away."""
    patch = {"metadata": {"annotations": {PREFIX + key: value for key, value in notes.items()}}}
    with _services(omni, cluster) as api, _told(cluster, namespace, service):
        api.patch_namespaced_service(service, namespace, patch, _request_timeout=SECONDS)


@contextmanager
def _services(omni: OmniClient, cluster: str) -> Iterator[Any]:
    """Speak to a cluster as a user of its masters, by a token that lives for minutes and is kept nowhere."""
    from kubernetes import client, config  # half a second: for those who need it

    text = omni.management.kubeconfig(
        cluster, service_account=True, user=USER, groups=["system:masters"], ttl=TOKEN_LIFE
    )
    settings = client.Configuration()
    config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
        yaml.safe_load(text), client_configuration=settings
    )
    settings.retries = False
    if omni.config.ca_file:
        settings.ssl_ca_cert = omni.config.ca_file
    settings.verify_ssl = not omni.config.insecure
    with client.ApiClient(settings) as connection:
        yield client.CoreV1Api(connection)


@contextmanager
def _told(cluster: str, namespace: str, service: str) -> Iterator[None]:
    """Turn what the Kubernetes client raises into problems; its texts may carry the token, so they are not shown."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        if error.status == 404:
            text = f"Cluster {cluster!r} has no Service {namespace}/{service}."
            raise Problem(404, "not-found", text) from None
        if error.status == 409:
            raise Problem(409, "changed-meanwhile", "The Service was changed meanwhile.", hint="Try again.") from None
        if not error.status:  # that is how the client tells of TLS that failed
            raise _unreachable(cluster) from None
        text = f"The Kubernetes API of cluster {cluster!r} answers {error.status}."
        raise Problem(502, "omni-error", text) from None
    except (HTTPError, OSError):
        raise _unreachable(cluster) from None


def _unreachable(cluster: str) -> Problem:
    text = f"The Kubernetes API of cluster {cluster!r} cannot be reached through Omni."
    return Problem(503, "omni-unreachable", text)
