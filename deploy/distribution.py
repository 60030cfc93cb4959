"""Build what a release consists of: ``python -m deploy.distribution FOLDER``.

The wheel and the source distribution, the hash-pinned lock of the run-time dependencies, their bill of materials
(CycloneDX), and ``SHA256SUMS`` of all of them. The same commit gives the same bytes, in any folder and at any time: its
files come from git, and all times are the commit's, or ``SOURCE_DATE_EPOCH`` where that is set.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
NAME = "omni_gateway"
LOCK = ROOT / "requirements.lock"
#: The extras that are locked too.
LOCKED_EXTRAS = ("otel", "postgresql")
#: Modes of files come from git alone, not from whoever builds.
UMASK = 0o022


def locked(lock: Path = LOCK) -> Iterator[Requirement]:
    """Return the requirements of the lock: each with one exact version."""
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            yield Requirement(line.removesuffix("\\"))


def build(folder: Path) -> None:
    """Build everything into a folder, in place of what an earlier build has left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob(f"{NAME}-*"):
        earlier.unlink()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": _epoch(), "PYTHONHASHSEED": "0"}
    with TemporaryDirectory() as work:
        source = Path(work, "source")
        _extract_commit(source)
        # The wheel is built from the source distribution, so that this one is complete too.
        _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source, environ=environ)
        [sdist], [wheel] = folder.glob(f"{NAME}-*.tar.gz"), folder.glob(f"{NAME}-*.whl")
        _normalize(sdist, int(environ["SOURCE_DATE_EPOCH"]))
        shutil.copy(source / LOCK.name, folder)
        _write_bill_of_materials(wheel, folder, Path(work), locked(source / LOCK.name), environ)
    _write_checksums(folder)


def _epoch() -> str:
    return os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct").decode().strip()


def _extract_commit(folder: Path) -> None:
    if changed := _git("status", "--porcelain", "--untracked-files=no").decode():
        print(f"These changes are not committed, and are left out:\n{changed}", file=sys.stderr)  # noqa: T201
    with tarfile.open(fileobj=io.BytesIO(_git("-c", f"tar.umask={UMASK:04o}", "archive", "HEAD"))) as archive:
        archive.extractall(folder)  # noqa: S202 - of our own commit


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603, S607


def _run(*command: str | Path, environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environ, umask=UMASK, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")


def _normalize(sdist: Path, epoch: int) -> None:
    """Write a source distribution again without owners and with one time; setuptools takes the present ones."""
    with tarfile.open(sdist) as archive:
        members = [(member, archive.extractfile(member)) for member in sorted(archive, key=lambda member: member.name)]
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as result:
            for member, content in members:
                plain = tarfile.TarInfo(member.name)
                plain.type, plain.mode, plain.size, plain.mtime = member.type, member.mode, member.size, epoch
                result.addfile(plain, content)
    sdist.write_bytes(gzip.compress(written.getvalue(), mtime=epoch))


def _write_bill_of_materials(
    wheel: Path, folder: Path, work: Path, needed: Iterable[Requirement], environ: Mapping[str, str]
) -> None:
    """Write the bill of materials of an environment that has the metadata of what is locked, and nothing else."""
    environment = work / "environment"
    _run(sys.executable, "-m", "venv", "--without-pip", environment, environ=environ)
    [packages] = environment.glob("lib/python*/site-packages")
    for requirement in needed:
        if requirement.marker is None or requirement.marker.evaluate():
            _copy_metadata(requirement, packages)
    (work / "pyproject.toml").write_text(_project(wheel))
    target = folder / f"{wheel.name.partition('-py3')[0]}.cdx.json"
    options: list[str | Path] = [
        "--pyproject",
        work / "pyproject.toml",
        "--mc-type",
        "application",
        "--output-reproducible",
    ]
    tool: list[str | Path] = [sys.executable, "-m", "cyclonedx_py", "environment", *options, "--output-file", target]
    _run(*tool, environment / "bin" / "python", environ=environ)


def _project(wheel: Path) -> str:
    """Return the wheel's metadata as a pyproject.toml, which the bill of materials takes its root from."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    environments = [{"extra": extra} for extra in ("", *LOCKED_EXTRAS)]
    project = {
        "name": metadata["Name"],
        "version": metadata["Version"],
        "license": metadata["License-Expression"] or metadata["License"],
        "dependencies": [
            str(each).partition(";")[0]
            for each in needed
            if each.marker is None or any(each.marker.evaluate(environment) for environment in environments)
        ],
    }
    return "[project]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in project.items())


def _copy_metadata(requirement: Requirement, packages: Path) -> None:
    distribution = importlib.metadata.distribution(requirement.name)
    if not requirement.specifier.contains(distribution.version):
        raise SystemExit(f"{requirement.name} {distribution.version} is installed, locked is {requirement.specifier}")
    metadata = next(file for file in distribution.files or () if file.name == "METADATA" and len(file.parts) == 2)
    source = Path(str(distribution.locate_file(metadata))).parent
    shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("direct_url.json"))


def _write_checksums(folder: Path) -> None:
    files = sorted([*folder.glob(f"{NAME}-*"), folder / LOCK.name])
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
