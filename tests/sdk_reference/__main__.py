"""Write docs/plugins/reference.md: ``python -m tests.sdk_reference``; ``release`` stores a release's surface."""

from __future__ import annotations

import shutil
import sys

from omni_gateway.sdk import SDK_VERSION
from tests.sdk_reference import page, stubs
from tests.sdk_reference.surface import ROOT


def main() -> None:
    if sys.argv[1:] == ["release"]:
        folder = ROOT / "tests" / "api" / "data" / f"sdk-{SDK_VERSION.rpartition('.')[0]}"
        shutil.rmtree(folder, ignore_errors=True)
        stubs.write(folder)
        print(f"wrote {folder.relative_to(ROOT)}")
    else:
        page.PATH.write_text(page.text())
        print(f"wrote {page.PATH.relative_to(ROOT)}")


main()
