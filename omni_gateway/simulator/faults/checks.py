"""Validation of rules: every problem of one, in words."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import grpc

from omni_gateway.simulator.wire.types import catalogue
from omni_gateway.stubs import (
    auth_pb2,
    machine_pb2,
    management_pb2,
    oidc_pb2,
    resources_pb2,
)
from omni_gateway.stubs import simulator_faults_pb2 as pb

READS = ("omni.resources.ResourceService/Get", "omni.resources.ResourceService/List")
LONGEST_SECONDS = 86_400.0
_RESOURCES = "omni.resources.ResourceService/"
_FAILURES = frozenset(code.value[0] for code in grpc.StatusCode) - {grpc.StatusCode.OK.value[0]}
_OF_CALLS = ("method", "resource_type", "resource_id", "skip", "every", "probability", "seed", "times")


@cache
def methods() -> Mapping[str, bool]:
    """Return every call that the simulator serves by its full name, and whether it answers a stream."""
    files = (auth_pb2, machine_pb2, management_pb2, oidc_pb2, resources_pb2)
    return {
        f"{service.full_name}/{method.name}": method.server_streaming
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def pattern(text: str) -> Callable[[str], bool]:
    """Return a predicate: does a name fit the pattern? An empty pattern fits every name."""
    if not text:
        return lambda name: True
    matches = re.compile(fnmatch.translate(text)).match
    return lambda name: matches(name) is not None


def problems(rule: pb.Rule) -> list[str]:
    """Return the problems of a rule; an empty list when it can be put in force."""
    kind = rule.WhichOneof("fault")
    if kind is None:
        names = ", ".join(field.name for field in pb.Rule.DESCRIPTOR.oneofs_by_name["fault"].fields)
        return [f"a rule needs a fault, one of {names}"]
    found = [*_of_time(rule), *_of_fault(rule, kind)]
    if kind == "connections":
        return found + [f"connections know no {name}" for name in _OF_CALLS if _given(rule, name)]
    return [*found, *_of_pattern(rule, kind), *_of_choice(rule)]


def _given(rule: pb.Rule, name: str) -> bool:
    return rule.HasField("probability") if name == "probability" else bool(getattr(rule, name))


def _of_time(rule: pb.Rule) -> Iterator[str]:
    if rule.seconds and not _is_time(rule.seconds):
        yield f"seconds must be above 0, at most {LONGEST_SECONDS:g}"


def _is_time(seconds: float) -> bool:
    return math.isfinite(seconds) and 0 < seconds <= LONGEST_SECONDS


def _of_fault(rule: pb.Rule, kind: str) -> Iterator[str]:
    if kind == "delay" and not _is_time(rule.delay.seconds):
        yield f"delay.seconds must be above 0, at most {LONGEST_SECONDS:g}"
    if kind == "error" and (rule.error.code not in _FAILURES):
        yield "error.code must be a code of a failure (1 to 16)"
    if kind == "connections" and rule.connections.mode not in pb.Connections.Mode.values():
        yield "connections.mode must be REFUSED or UNANSWERED"


def _of_pattern(rule: pb.Rule, kind: str) -> Iterator[str]:
    fits = pattern(rule.method)
    struck = [name for name in methods() if fits(name)]
    if not struck:
        yield f"no call is named like {rule.method!r}; names are such as {READS[0]!r}"
        return
    if (rule.resource_type or rule.resource_id) and not any(name.startswith(_RESOURCES) for name in struck):
        yield f"only calls of {_RESOURCES.rstrip('/')} are about a resource, and {rule.method!r} matches none of them"
    fits_type = pattern(rule.resource_type)
    if not any(fits_type(name) for name in catalogue()):
        yield f"no resource type is named like {rule.resource_type!r}; names are such as 'Clusters.omni.sidero.dev'"
    if kind == "cut" and not any(methods()[name] for name in struck):
        yield f"only a stream can be cut, and {rule.method!r} matches none"
    if kind == "answer_lost" and all(methods()[name] for name in struck):
        yield f"a stream has no one answer to lose, and {rule.method!r} matches streams only; cut them"
    if kind == "stale_reads" and not any(name in READS for name in struck):
        yield f"only Get and List can be stale, and {rule.method!r} matches neither"


def _of_choice(rule: pb.Rule) -> Iterator[str]:
    if rule.HasField("probability") and not 0 < rule.probability <= 1:
        yield "probability must be above 0, at most 1"
    if rule.seed and not rule.HasField("probability"):
        yield "a seed without a probability draws nothing"
