"""The pytest plugin of the kit (entry point ``pytest11``): fixtures, and which checks a class collects.

pytest imports it in every run of an environment with the gateway, so it imports the rest at first use only.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from omni_gateway.rest.service_plugin import ServicePlugin
    from omni_gateway.simulator.faults import Faults
    from omni_gateway.testing.case import Case
    from omni_gateway.testing.gateways import Gateways, ServedGateway
    from omni_gateway.testing.omni import EmbeddedOmni
    from omni_gateway.testing.subject import Subject

pytest.register_assert_rewrite("omni_gateway.testing.checks", "omni_gateway.testing.subject")

_CLASSES = pytest.StashKey["list[type[Case]]"]()


def _case_of(cls: Any) -> type[Case] | None:
    """Return a class if it declares a plugin under test; the kit is not imported for other tests."""
    module = sys.modules.get("omni_gateway.testing.case")
    if module is None or not isinstance(cls, type) or not issubclass(cls, module.Case):
        return None
    return cls


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> list[Any] | None:
    """Leave out the checks that do not apply to the plugin of a class, and the base class itself."""
    if isinstance(obj, type):
        case = _case_of(obj)
        return [] if case is not None and not hasattr(case, "plugin") else None
    case = _case_of(getattr(collector, "cls", None)) if isinstance(collector, pytest.Class) else None
    if case is None or not name.startswith("test_") or not callable(obj):
        return None
    from omni_gateway.testing.conditions import reason_against

    return [] if reason_against(case, obj) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each verb that the plugin has, and of each that it has not."""
    case = _case_of(metafunc.cls)
    if case is None:
        return
    from omni_gateway.testing.parameters import PARAMETERS

    for name, values in PARAMETERS.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values(case), ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note the classes whose plugins the gateways of this run are to have."""
    classes = config.stash.setdefault(_CLASSES, [])
    for item in items:
        case = _case_of(getattr(item, "cls", None))
        if case is not None and case not in classes:
            classes.append(case)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the checks that did not apply, by their reasons."""
    classes = config.stash.get(_CLASSES, [])
    if not classes or config.get_verbosity() < 0:
        return
    from omni_gateway.testing.conditions import checks_of

    terminalreporter.section("conformance")
    for case in classes:
        reasons = [reason for _, reason in checks_of(case)]
        left_out = Counter(filter(None, reasons))
        text = "; ".join(f"{number}: {reason}" for reason, number in left_out.most_common())
        line = f"{case.__name__} ({case.plugin.name}): {len(reasons) - left_out.total()} promises apply"
        terminalreporter.write_line(f"{line}, {left_out.total()} do not ({text})" if text else line)


@pytest.fixture(scope="session")
def omni() -> Iterator[EmbeddedOmni]:
    """The embedded Omni that all tests of the run share."""
    from omni_gateway.testing.omni import embedded_omni

    with embedded_omni() as running:
        yield running


@pytest.fixture
def fresh_omni() -> Iterator[EmbeddedOmni]:
    """An embedded Omni of this test's own."""
    from omni_gateway.testing.omni import embedded_omni

    with embedded_omni() as running:
        yield running


@pytest.fixture
def faults(omni: EmbeddedOmni) -> Iterator[Faults]:
    """The faults of the shared Omni; what a test adds is cleared at its end."""
    yield omni.faults
    omni.faults.clear()


@pytest.fixture(scope="session")
def plugins_under_test(request: pytest.FixtureRequest) -> Sequence[ServicePlugin]:
    """The plugins that the gateways have beside those that are installed; override it to name others."""
    return [case.plugin for case in request.config.stash.get(_CLASSES, [])]


@pytest.fixture(scope="session")
def gateways(
    omni: EmbeddedOmni, plugins_under_test: Sequence[ServicePlugin], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """The gateways of the run, each made at first use."""
    from omni_gateway.testing.gateways import Gateways

    made = Gateways(plugins_under_test, omni.config, tmp_path_factory.mktemp("gateways"))
    yield made
    made.close()


@pytest.fixture
def gateway(gateways: Gateways, request: pytest.FixtureRequest) -> ServedGateway:
    """A real gateway: gunicorn with two workers, and the plugins under test."""
    case = _case_of(request.cls)
    return gateways.served(case.plugin if case else None)


@pytest.fixture
def api(gateways: Gateways, request: pytest.FixtureRequest) -> Callable[..., httpx.Client]:
    """Return clients of the application in this process: ``api("reader")``, ``api("admin", clusters=["prod-*"])``."""
    case = _case_of(request.cls)
    return gateways.in_process(case.plugin if case else None).client


@pytest.fixture(scope="class")
def subject(gateways: Gateways, omni: EmbeddedOmni, request: pytest.FixtureRequest) -> Subject:
    """The plugin of a class in a gateway, and its objects."""
    from omni_gateway.testing.subject import Subject

    case = request.cls()
    made = Subject(case, omni, gateways.in_process(case.plugin), lambda: gateways.served(case.plugin))
    made.prepare()
    return made
