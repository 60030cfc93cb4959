"""Validation by Omni, without a change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup
from omni_gateway.stubs import management_pb2 as pb

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One disagreement between a document and a JSON schema, with those that led to it."""

    schema_path: str
    data_path: str
    cause: str
    errors: tuple[SchemaError, ...] = ()


class ValidationCalls(CallGroup):
    """Checks before a write."""

    def validate_config(self, text: str) -> None:
        """Check a machine configuration patch as Omni does on write; raises ``InvalidArgument`` with the reason."""
        self._calls.unary(rpcs.VALIDATE_CONFIG, lambda: pb.ValidateConfigRequest(config=text))

    def validate_json_schema(self, data: str, schema: str) -> list[SchemaError]:
        """Check a JSON document against a JSON schema, both as text; an empty list means that it fits."""
        answer = self._calls.unary(
            rpcs.VALIDATE_JSON_SCHEMA, lambda: pb.ValidateJsonSchemaRequest(data=data, schema=schema)
        )
        return list(_errors(answer.errors, _DEEPEST))


def _errors(errors: Iterable[pb.ValidateJsonSchemaResponse.Error], depth: int) -> tuple[SchemaError, ...]:
    if depth == 0:
        return ()
    return tuple(
        SchemaError(error.schema_path, error.data_path, error.cause, _errors(error.errors, depth - 1))
        for error in errors
    )
