"""``make mutation``: change the code of one group after another in each small way, and see whether a test fails."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.mutation.groups import GROUPS
from tests.mutation.results import results, row

MUTMUT = Path(sys.executable).with_name("mutmut")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutation")
    parser.add_argument("--only", default=" ".join(GROUPS), help="groups, separated by spaces")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sample", action="store_true", help="every fifth mutant only")
    parser.add_argument("--results", action="store_true", help="print the results of the last run")
    arguments = parser.parse_args()
    groups = {name: GROUPS[name] for name in arguments.only.split()}
    for modules in [] if arguments.results else groups.values():
        names = [f"{module}.*__mutmut_{'*[05]' if arguments.sample else '*'}" for module in modules]
        subprocess.run([str(MUTMUT), "run", "--max-children", str(arguments.processes), *names], check=True)
    print("| group | mutants | killed | of these by timeout | survived | no test | killed, % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, modules in groups.items():
        print(row(name, results(modules)))
    for modules in groups.values():
        for mutant, outcome in results(modules).items():
            if outcome not in ("killed", "timeout", "not checked"):
                print(f"{outcome}: {mutant}", file=sys.stderr)


if __name__ == "__main__":
    main()
