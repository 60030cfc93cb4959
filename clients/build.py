"""Make the clients from the OpenAPI document: ``python -m clients.build FOLDER`` puts the packages into a folder.

What is committed of a client is its configuration and what is built on the generated code. Both are put together in
``.cache/clients/``, where unchanged inputs are not processed again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from omni_gateway import __version__
from omni_gateway.http.openapi.operations import operations

HERE = Path(__file__).parent
WORK = HERE.parent / ".cache" / "clients"
#: Seconds that one command may take: registries may be slow.
SECONDS = 300.0


class BuildFailed(RuntimeError):
    """A command failed, or did not end in time; the text has its output."""


class RegistryUnreachable(BuildFailed):
    """A package registry cannot be reached, or is too slow."""


#: What npm and Go print when they cannot reach a registry.
_UNREACHABLE = re.compile(r"EAI_AGAIN|E(?:NOTFOUND|CONN\w+|TIMEDOUT|NETUNREACH|HOSTUNREACH)|dial tcp|i/o timeout")


def run(*command: str | Path, cwd: Path, seconds: float = SECONDS, fetches: bool = False) -> str:
    """Run a command and return its output; raise :class:`BuildFailed` if it fails or does not end in time.

    :param fetches: whether it fetches packages; raises :class:`RegistryUnreachable` if that is why it failed.
    """
    name = " ".join(str(part) for part in command)
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        kind = RegistryUnreachable if fetches else BuildFailed
        raise kind(f"{name}: not done within {seconds:.0f} s; is the package registry slow?") from error
    output = done.stdout + done.stderr
    if done.returncode:
        kind = RegistryUnreachable if fetches and _UNREACHABLE.search(output) else BuildFailed
        raise kind(f"{name}: exit status {done.returncode}\n{output[-4000:]}")
    return output


def once(folder: Path, inputs: Iterable[bytes], make: Callable[[], None]) -> None:
    """Call ``make`` unless it has succeeded with the same inputs before; ``folder`` holds the note of it."""
    digest = hashlib.sha256(b"\0".join(hashlib.sha256(each).digest() for each in inputs)).hexdigest()
    stamp = folder / ".made-of"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest)


def npm_install(source: Path, folder: Path) -> None:
    """Install the packages of ``source/package-lock.json`` into ``folder/node_modules``."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [source / name for name in ("package.json", "package-lock.json", ".npmrc")]
    for file in files:
        shutil.copy(file, folder)
    modules = folder / "node_modules"

    def install() -> None:
        run("npm", "ci", cwd=folder, fetches=True)

    if not modules.is_dir():
        (folder / ".made-of").unlink(missing_ok=True)
    once(folder, [file.read_bytes() for file in files], install)


def python_client(document: bytes) -> Path:
    """Make the Python package; return its folder, with the wheel in ``dist/``."""
    source, folder = HERE / "python", WORK / "python"
    once(_folder(folder), [document, *_contents(source)], lambda: _make_python_client(document, source, folder))
    return folder


def _make_python_client(document: bytes, source: Path, folder: Path) -> None:
    _copy(source, folder)
    package, generated = folder / "omni_gateway_client", folder / "generated"
    (folder / "openapi.json").write_text(json.dumps(_with_bodies_only(json.loads(document))))
    generator = Path(sys.executable).with_name("openapi-python-client")
    arguments = ("--path", "openapi.json", "--config", "openapi-python-client.yaml", "--meta", "none")
    (folder / "generator.log").write_text(
        run(generator, "generate", *arguments, "--output-path", generated, cwd=folder)
    )
    shutil.copytree(package, generated, dirs_exist_ok=True)
    shutil.rmtree(package)
    generated.rename(package)
    (folder / "example.py").write_text(readme_block(source, "python"))
    _set_version(folder / "pyproject.toml")
    wheel = ("-m", "build", "--wheel", "--no-isolation", "--skip-dependency-check")
    run(sys.executable, *wheel, "--outdir", "dist", ".", cwd=folder)


def _with_bodies_only(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the Python generator cannot type.

    Of responses without a body (204, 304) it would make the type, and so the union, ``Any``; a stream of events it
    would read as the text of one event.
    """
    for _, operation in operations(document):
        answers = operation["responses"]
        operation["responses"] = {
            status: answer for status, answer in answers.items() if "$ref" in answer or "content" in answer
        }
        for answer in answers.values():
            if "application/json" not in answer.get("content", {}):
                answer.get("content", {}).pop("text/event-stream", None)
    return document


def typescript_client(document: bytes) -> Path:
    """Make the npm package; return its folder, with the ``.tgz`` in ``packed/``."""
    source, folder = HERE / "typescript", WORK / "typescript"
    npm_install(source, folder / "npm")
    once(_folder(folder), [document, *_contents(source)], lambda: _make_typescript_client(document, source, folder))
    return folder


def _make_typescript_client(document: bytes, source: Path, folder: Path) -> None:
    _copy(source, folder, keep=("npm",))
    modules = folder / "node_modules"
    modules.unlink(missing_ok=True)
    modules.symlink_to("npm/node_modules")
    (folder / "openapi.json").write_bytes(document)
    (folder / "example.ts").write_text(readme_block(source, "ts"))
    _set_version(folder / "package.json")
    run("npm", "run", "generate", cwd=folder)
    run("npm", "run", "build", cwd=folder)
    run("npm", "run", "check", cwd=folder)
    run("npm", "pack", "--pack-destination", _folder(folder / "packed"), cwd=folder)


def go_client(document: bytes) -> Path:
    """Make the Go module; return its folder."""
    source, folder = HERE / "go", WORK / "go"
    once(_folder(folder), [document, *_contents(source)], lambda: _make_go_client(document, source, folder))
    return folder


def _make_go_client(document: bytes, source: Path, folder: Path) -> None:
    _copy(source, folder)
    (folder / "openapi.json").write_text(json.dumps(_without_headers(json.loads(document))))
    (_folder(folder / "example") / "main.go").write_text(readme_block(source, "go"))
    run("go", "generate", "./...", cwd=folder, fetches=True)
    run("go", "mod", "download", cwd=folder, fetches=True)


def _without_headers(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the headers of responses: code that parses each of them would be nine tenths of the Go module."""
    responses = list(document["components"]["responses"].values())
    for _, operation in operations(document):
        responses += operation["responses"].values()
    for response in responses:
        response.pop("headers", None)
    return document


def readme_block(source: Path, language: str) -> str:
    """Return the first block of code of a client's README: the sample program, which is kept nowhere else."""
    found = re.search(rf"```{language}\n(.*?)```", (source / "README.md").read_text(), re.DOTALL)
    if found is None:
        raise BuildFailed(f"{source.name}/README.md has no block of {language}")
    return found[1]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _contents(source: Path) -> list[bytes]:
    return [Path(__file__).read_bytes(), *(file.read_bytes() for file in sorted(source.rglob("*")) if file.is_file())]


def _copy(source: Path, folder: Path, keep: Iterable[str] = ()) -> None:
    """Replace what is in ``folder`` by what is in ``source``."""
    for old in folder.iterdir():
        if old.name not in keep:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    shutil.copytree(source, folder, dirs_exist_ok=True)


def _set_version(metadata: Path) -> None:
    metadata.write_text(metadata.read_text().replace("0.0.0", __version__, 1))


def main(target: Path) -> None:
    """Make all clients, and put the packages into ``target``."""
    document = run(Path(sys.executable).with_name("omni-gateway"), "openapi", cwd=HERE.parent).encode()
    target.mkdir(parents=True, exist_ok=True)
    packages = [
        *(python_client(document) / "dist").glob("*.whl"),
        *(typescript_client(document) / "packed").glob("*.tgz"),
    ]
    for package in packages:
        shutil.copy(package, target)
    module = target / "omni-gateway-client-go"
    shutil.copytree(go_client(document), module, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".made-of"))
    for made in (*(target / package.name for package in packages), module):
        sys.stdout.write(f"{made}\n")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except BuildFailed as error:
        sys.exit(str(error))
