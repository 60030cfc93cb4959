"""Disk selectors: what compiles to true or false, and what does not."""

from __future__ import annotations

import pytest

from omni_gateway.simulator.selectors.disk_selector import SelectorError, check


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "disk.size > 100u",
        "disk.size >= 2u * GiB && !disk.rotational",
        "disk.transport == 'nvme' || disk.model.startsWith(\"Samsung\")",
        "!system_disk && (disk.size < 6 * GB)",
        "glob('/dev/sd*', disk.dev_path)",
        "'/dev/disk/by-id/x' in disk.symlinks",
        "size(disk.symlinks) > 0 ? disk.readonly : true",
        "disk.symlinks[0].contains('a' + 'b')",
        "-1 < 2",
    ],
)
def test_what_comes_to_true_or_false_compiles(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "disk",
        "disk.size",
        "disk.size >",
        "disk.colour == 'red'",
        "unicorn",
        "disk.size > 'large'",
        "disk.size > 1 disk",
        "'open",
        "disk.model && true",
        "disk.readonly > false",
        "!disk.size",
        "disk.model.startsWith(1)",
        "disk.readonly.size()",
        "glob('x')",
        "true ? 1 : 'a'",
        "(true",
        "disk.size # 1",
        "1 in disk.model",
        "(" * 5000,
        "!" * 5000 + "true",
        "-" * 5000 + "1 > 0",
    ],
    ids=range(22),
)
def test_what_does_not_is_refused(text: str) -> None:
    with pytest.raises(SelectorError):
        check(text)
