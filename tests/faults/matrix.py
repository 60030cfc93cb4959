"""One row of the matrix: a fault, what was answered meanwhile, what was wrong with that, and how soon it was over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from tests.faults.injections import Injection
from tests.faults.probes import KINDS, Cell, OpenStream, ask_all, liveness
from tests.faults.world import OMNI_SECONDS, World

#: The longest deadline of a request here, and a second.
LIMIT = OMNI_SECONDS + 1.0
LIVEZ_LIMIT = 0.1
CHECK_SECONDS = 15.0
BACK_SECONDS = 45.0
#: What else runs on a machine may hold /livez up: a row that is wrong in nothing else is looked at again.
ATTEMPTS = 3


@dataclass
class Row:
    """What was seen; ``wrong`` says what must not be."""

    component: str
    fault: str
    cells: dict[str, Cell] = field(default_factory=lambda: {kind: Cell() for kind in KINDS})
    open_stream: str = ""
    livez: float = 0.0
    back: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Find what must not be."""
        for kind, cell in self.cells.items():
            for answer in cell.answers:
                what = f"{kind}: {answer.what}: {answer.said}"
                if answer.seconds > LIMIT:
                    self.wrong.append(f"{what} after {answer.seconds:.1f} s")
                if "internal" in answer.said or answer.said.startswith(("500", "no answer")):
                    self.wrong.append(what)
        if "internal" in self.open_stream:
            self.wrong.append(f"stream: {self.open_stream}")

    @property
    def livez_is_late(self) -> bool:
        """Return whether /livez took longer than it may."""
        return self.livez > LIVEZ_LIMIT


def run(world: World, injection: Injection, attempts: int = ATTEMPTS) -> tuple[Row, Row]:
    """Return the row of a fault and the row of the time after it."""
    for attempt in range(1, attempts + 1):
        during, after = _run_once(world, injection)
        late = [row for row in (during, after) if row.livez_is_late]
        if not late or during.wrong or after.wrong or attempt == attempts:
            break
    for row in late:
        row.wrong.append(f"/livez took {row.livez * 1000:.0f} ms")
    return during, after


def _run_once(world: World, injection: Injection) -> tuple[Row, Row]:
    served = world.gateways[injection.gateway]
    during = Row(injection.component, injection.fault)
    after = Row(injection.component, "back")
    _wait_until_well(served.url)
    assert served.log is not None
    logged = served.log.stat().st_size
    stream = OpenStream(served.url, "/api/v1/machines")
    with liveness(served.url) as livez, injection.inject(world):
        ask_all(served.url, during.cells)
        if injection.check and not _check_fails(served.url, injection.check):
            during.wrong.append(f"/readyz does not name the check {injection.check!r}")
        ask_all(served.url, during.cells)
        during.open_stream = stream.close()
    during.livez = livez[0]
    began = time.monotonic()
    if not _wait_until_well(served.url):
        after.wrong.append(f"not well again after {BACK_SECONDS:.0f} s")
    after.back = time.monotonic() - began
    with liveness(served.url) as livez:
        ask_all(served.url, after.cells)
    after.livez = livez[0]
    during.judge()
    after.judge()
    after.wrong += [f"{what} afterwards" for what in _not_well(after.cells)]
    if "Traceback" in served.log.read_bytes()[logged:].decode("utf-8", "replace"):
        during.wrong.append("the log has a traceback")
    return during, after


def _check_fails(url: str, check: str) -> bool:
    deadline = time.monotonic() + CHECK_SECONDS
    while time.monotonic() < deadline:
        checks = httpx.get(f"{url}/readyz", timeout=20).json()["checks"]
        if checks.get(check, {}).get("status") == "unavailable":
            return True
        time.sleep(0.2)
    return False


def _wait_until_well(url: str) -> bool:
    """Wait until every check passes, and a read and a write of both Omni and the store are done."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        cells: Mapping[str, Cell] = {"read": Cell(), "write": Cell()}
        checks = httpx.get(f"{url}/readyz", timeout=20).json()["checks"]
        if all(entry["status"] == "ok" for entry in checks.values()):
            ask_all(url, cells, 1)
            if not _not_well(cells):
                return True
        time.sleep(0.2)
    return False


def _not_well(cells: Mapping[str, Cell]) -> list[str]:
    return [
        f"{kind}: {answer.what}: {answer.said}"
        for kind, cell in cells.items()
        for answer in cell.answers
        if not answer.said.startswith("401" if answer.what == "with an unknown token" else "20")
    ]
