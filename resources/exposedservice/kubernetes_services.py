"""Annotations of a cluster's Services, read and written through Omni's Kubernetes proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import yaml

from omni_gateway.sdk import OmniClient, Problem

#: Prefix of the annotations that Omni's exposer reads.
PREFIX = "omni-kube-service-exposer.sidero.dev/"
USER = "omni-gateway"
#: Enough for the one or two calls of a request.
TOKEN_LIFE = timedelta(minutes=5)
SECONDS = 10.0


def exposed_by(omni: OmniClient, cluster: str, namespace: str, service: str) -> Mapping[str, str]:
    """Return the exposer's annotations of a Service, without their prefix; 404 if there is no such Service."""
    with _services(omni, cluster) as api, _errors_as_problems(cluster, namespace, service):
        found = api.read_namespaced_service(service, namespace, _request_timeout=SECONDS)
    notes = found.metadata.annotations or {}
    return {key.removeprefix(PREFIX): value for key, value in notes.items() if key.startswith(PREFIX)}


def annotate(omni: OmniClient, cluster: str, namespace: str, service: str, notes: Mapping[str, str | None]) -> None:
    """Set the exposer's annotations of a Service; None removes one."""
    patch = {"metadata": {"annotations": {PREFIX + key: value for key, value in notes.items()}}}
    with _services(omni, cluster) as api, _errors_as_problems(cluster, namespace, service):
        api.patch_namespaced_service(service, namespace, patch, _request_timeout=SECONDS)


@contextmanager
def _services(omni: OmniClient, cluster: str) -> Iterator[Any]:
    """Connect to a cluster as a member of ``system:masters``, with a token of a few minutes that is not stored."""
    from kubernetes import client, config  # takes half a second, so only on first use

    text = omni.management.kubeconfig(
        cluster, service_account=True, user=USER, groups=["system:masters"], ttl=TOKEN_LIFE
    )
    settings = client.Configuration()
    config.load_kube_config_from_dict(yaml.safe_load(text), client_configuration=settings)
    settings.retries = False
    if omni.config.ca_file:
        settings.ssl_ca_cert = omni.config.ca_file
    settings.verify_ssl = not omni.config.insecure
    with client.ApiClient(settings) as connection:
        yield client.CoreV1Api(connection)


@contextmanager
def _errors_as_problems(cluster: str, namespace: str, service: str) -> Iterator[None]:
    """Convert the Kubernetes client's errors into problems, without their texts, which may contain the token."""
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
        if not error.status:  # the client reports failed TLS so
            raise _unreachable(cluster) from None
        text = f"The Kubernetes API of cluster {cluster!r} answers {error.status}."
        raise Problem(502, "omni-error", text) from None
    except (HTTPError, OSError):
        raise _unreachable(cluster) from None


def _unreachable(cluster: str) -> Problem:
    text = f"The Kubernetes API of cluster {cluster!r} cannot be reached through Omni."
    return Problem(503, "omni-unreachable", text)
