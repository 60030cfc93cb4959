"""The promises of the HTTP contract for the gateway's own record of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from omni_gateway.audit.writer import AuditWriter
from omni_gateway.sdk.testing import EmbeddedOmni
from omni_gateway.testing.gateways import Gateways
from resources import audit

from .built_in import BuiltIn


@pytest.fixture(scope="module")
def gateways(omni: EmbeddedOmni, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    """A gateway of this module's own: the record of the shared one has the requests of all other checks."""
    made = Gateways([audit.plugin], omni.config, tmp_path_factory.mktemp("audit"))
    yield made
    made.close()


class TestAudit(BuiltIn):
    plugin = audit.plugin
    unfit = {"test_a_search_finds_an_object_by_its_id": "a search looks into the paths of the requests"}
    entries: ClassVar[Sequence[str]] = ()

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _recorded(cls, gateways: Gateways, wait_until: Callable[..., Any]) -> Iterator[None]:
        """Have requests recorded, and then none: the refusals that the checks cause would change their lists."""
        api = gateways.in_process(cls.plugin).client("admin")
        for number in range(3):
            assert api.delete(f"machineclasses/there-is-none-{number}").status_code == 404
        wait_until(lambda: len(api.get("audit").json()) == 3, 60, "a record of three requests")
        cls.entries = [entry["id"] for entry in api.get("audit").json()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AuditWriter, "put", lambda *_: None)
            yield

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        return self.entries
