"""The commands of a page, run by one bash after the other, and what the page says that they print."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

#: The line that ends a block's output.
END = "the block has ended"
#: Of a whole page; a real Omni's machines take their time.
SECONDS = 900
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
#: In which a comment looks like a heading.
_BLOCK = re.compile(r"^```sh\n.*?^```$", flags=re.M | re.S)
_CONSOLE = re.compile(r"^( *)```console\n(.*?)^ *```$", flags=re.M | re.S)


class Shell:
    """A bash in a folder; a failing command ends it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._input, self._output = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

    def run(self, block: str) -> str:
        """Run lines, and return what they print."""
        self._input.write(f"{block}\necho; echo {END}\n")
        self._input.flush()
        printed = ""
        for line in self._output:
            if line.strip() == END:
                return printed
            printed += line
        raise AssertionError(f"{block}\nexit status {self._process.wait()}:\n{printed[-3000:]}")

    def walk(self, text: str) -> None:
        """Run the commands of all ``console`` blocks in a text, and compare what each prints with what it should.

        Raises AssertionError for a command that prints something else, or ends with another exit code than 0, or than
        the comment behind it has: ``# exit code 3``.
        """
        for step in console_steps(text):
            printed = self.run(
                f"code=0\n{step.command} || code=$?\n[ $code = {step.exit_code} ] || echo exit code $code"
            )
            options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if not doctest.OutputChecker().check_output(step.printed + "\n", printed.strip() + "\n", options):
                raise AssertionError(f"$ {step.command}\nprinted\n{printed[-3000:]}\ninstead of\n{step.printed}")


@contextmanager
def bash(folder: Path, **environ: str) -> Iterator[Shell]:
    """Start a bash, which ends with the block of code."""
    command = ["timeout", str(SECONDS), "bash", "-eu", "-o", "pipefail"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=os.environ | environ, cwd=folder, text=True, **pipes) as process:
        yield Shell(process)
        cast(IO[str], process.stdin).close()


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a page, what it prints (``...`` stands for anything), and its exit code."""

    command: str
    printed: str
    exit_code: int


def console_steps(text: str) -> Iterator[Step]:
    """Yield the steps of ``console`` blocks: a command follows ``$``, and goes on after a backslash at a line's end."""
    for _, block in _CONSOLE.findall(text):
        for part in re.split(r"^\$ ", textwrap.dedent(block), flags=re.M)[1:]:
            lines = part.rstrip("\n").split("\n")
            last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
            command = "\n".join(lines[: last + 1])
            code = _EXIT_CODE.search(command)
            yield Step(_EXIT_CODE.sub("", command), "\n".join(lines[last + 1 :]).strip(), int(code[1]) if code else 0)


def section(page: Path, heading: str) -> str:
    """Return what is below a heading of a page, up to the next one of its level or a higher one."""
    text = _BLOCK.sub(lambda block: re.sub(r"^#", " #", block[0], flags=re.M), page.read_text())
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^(?!\1#)#+ |\Z)", text, flags=re.M | re.S)
    assert found is not None, f"{page} has no heading {heading!r}"
    return found[2]
