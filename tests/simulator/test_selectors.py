"""Label selectors."""

from __future__ import annotations

import pytest

from omni_gateway.simulator.selectors import label_selector

LABELS = {"env": "prod", "tier": "", "mem": "64GiB", "cores": "8", "note": "b, c"}


@pytest.mark.parametrize(
    "text",
    [
        "env",
        "!zone",
        "env=prod",
        "env == prod",
        "env!=test",
        "zone != a",
        "env in (test, prod)",
        "env notin (test)",
        "zone notin (a)",
        "tier=",
        "mem > 32GiB",
        "cores<=8",
        "env=prod,cores>4,!zone",
        "mem > 1000",
        "mem < 70G",
        'note="b, c"',
        'note in (x, "b, c")',
        "tier in ()",
        "",
    ],
)
def test_matching_selectors(text: str) -> None:
    assert label_selector.parse(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "zone",
        "!env",
        "env=test",
        "env!=prod",
        "env in (a, b)",
        "mem<80",
        "mem<66G",
        "env>1",
        "env<=prod",
        "cores>1.5",
        "zone>1",
        "env=prod,zone",
        "env=prod ,cores",
    ],
)
def test_selectors_that_do_not_match(text: str) -> None:
    assert not label_selector.parse(text).matches(LABELS)


@pytest.mark.parametrize("text", ["a b", "(", "=b", "a in x", "a,,b", "a=b)", "!", 'a="b', "a=>1", "!a=1"])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(label_selector.SelectorError):
        label_selector.parse(text)


def test_several_selectors_are_alternatives() -> None:
    either = label_selector.any_of(["env=test", "cores=8"])

    assert either is not None
    assert either(LABELS)
    assert not either({"cores": "4"})


def test_no_selector_at_all_is_no_condition() -> None:
    assert label_selector.any_of(["", " "]) is None
