import pytest

from omni_gateway.rest.predictions import disk_selectors


@pytest.mark.parametrize("text", ["disk.", "disk.model.", "!", "(", "disk.size >", "glob(", "disk.symlinks["])
def test_a_disk_selector_that_ends_early_does_not_compile(text: str) -> None:
    assert not disk_selectors.may_compile(text)
