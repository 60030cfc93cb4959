"""An action whose work has steps: how a plugin declares it."""

from __future__ import annotations

import marshmallow as ma
import pytest

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import Action, PluginError


class StepSchema(ma.Schema):
    pass


def test_steps_need_an_answer_for_callers_who_ask_for_no_stream() -> None:
    with pytest.raises(PluginError, match="`steps` without `answers`"):
        Action("sync", role=Role.OPERATOR, summary="", run=dict, steps=StepSchema)
