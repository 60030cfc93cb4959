"""The image: what it is made of, and that it serves without root, a shell, or a file system that can be written to.

Its base is made of Debian's packages, its wheels are those of the lock, fetched beforehand. Where no container can be
run in a sandbox, it is run by what containers are made of: namespaces, mounts, and another root.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.distribution import LOCK, ROOT
from tests.e2e.conftest import free_port

CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
CACHE = ROOT / ".cache" / "container"
#: Of Python 3.11, as the tests' wheels are.
DEBIAN = "bookworm"
USER = "10001:10001"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
#: The image's path has no folder of programs for root.
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"
MISSING = [name for name in ("buildah", "mmdebstrap", "unshare") if shutil.which(name) is None]
HADOLINT = Path(sys.executable).with_name("hadolint")

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1800)]


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is missing: `make test-deploy` installs it")
def test_the_containerfile_has_no_finding_of_hadolint() -> None:
    linted = subprocess.run([HADOLINT, CONTAINERFILE], capture_output=True, text=True, timeout=60)
    assert (linted.stdout, linted.returncode) == ("", 0)


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@dataclass
class Images:
    """Images in a folder of their own."""

    folder: Path

    def buildah(self, *arguments: str | Path) -> str:
        store = ["--root", self.folder / "images", "--runroot", self.folder / "run", "--storage-driver", "vfs"]
        return run("buildah", *store, *arguments).strip()

    def build(self, name: str, file: Path, context: Path, *options: str | Path) -> None:
        sandboxed = ["--isolation", "chroot", "--network", "host"]
        always = ["--format", "docker", "--timestamp", "1700000000", "--no-cache"]
        self.buildah("build", *sandboxed, *always, *options, "--tag", name, "--file", file, context)

    def digest(self, name: str) -> str:
        return str(json.loads(self.buildah("inspect", "--type", "image", name))["FromImageDigest"])

    def layers(self, name: str) -> list[str]:
        """Return the digests of the files of each layer."""
        found: list[str] = json.loads(self.buildah("inspect", "--type", "image", name))["OCIv1"]["rootfs"]["diff_ids"]
        return found


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    if MISSING or os.geteuid() != 0:
        pytest.skip(f"{', '.join(MISSING) or 'root'} is missing: `make deploy-tools` installs what Debian has, as root")
    images = Images(tmp_path_factory.mktemp("images"))
    yield images
    images.buildah("rm", "--all")
    images.buildah("rmi", "--all", "--force")  # some hundred megabytes each


@pytest.fixture(scope="module")
def base(images: Images) -> str:
    """An image of Debian with Python; its name has its digest, as that of an operator's base has."""
    archive = CACHE / f"{DEBIAN}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = archive.with_suffix(".unfinished.tar")
        packages = "--include=python3,python3-venv,ca-certificates"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", packages, DEBIAN, str(unfinished)]
        made = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if made.returncode:
            pytest.skip(f"mmdebstrap cannot make a base image here: {made.stderr.strip().splitlines()[-1:]}")
        unfinished.rename(archive)
    file = images.folder / "Containerfile"
    file.write_text(f"FROM scratch\nADD {archive.name} /\n")
    images.build("localhost/base", file, CACHE)
    return f"localhost/base@{images.digest('localhost/base')}"


@pytest.fixture(scope="module")
def wheels() -> Path:
    """Fetch the wheels of the lock; pip checks their hashes again when it installs them into the image."""
    folder = CACHE / f"wheels-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the wheels of this Python are not those of the base image's, which is 3.11")
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        # The markers are those of another Python, of the same minor version.
        everything = CACHE / "requirements.lock"
        everything.write_text(re.sub(r" ; .* \\$", r" \\", LOCK.read_text(), flags=re.MULTILINE))
        command = [*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(everything), "--dest", str(unfinished)]
        subprocess.run(command, check=True, timeout=900)
        unfinished.rename(folder)
    return folder


@pytest.fixture(scope="module")
def build(images: Images, base: str, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Build the image of this commit under a name, and return that."""
    context = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    source = context / "source"
    run("git", "clone", "--quiet", ROOT, source)
    run(*pip, "--no-build-isolation", "--wheel-dir", context, source)
    shutil.rmtree(source)
    shutil.copy(LOCK, context)
    (context / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    secret = f"id=pip.conf,src={context / 'pip.conf'}"
    arguments = ["--build-arg", f"BASE={base}", "--build-arg", "VERSION=1.2.3", "--build-arg", "REVISION=abc"]
    options = [*arguments, "--secret", secret, "--volume", f"{wheels}:/wheels:ro"]

    def build(name: str) -> str:
        images.build(name, CONTAINERFILE, context, *options)
        return name

    return build


@pytest.fixture(scope="module")
def image(build: Callable[[str], str]) -> str:
    return build("localhost/omni-gateway")


@pytest.fixture(scope="module")
def config(images: Images, image: str) -> Any:
    return json.loads(images.buildah("inspect", "--type", "image", image))["Docker"]["config"]


def test_it_runs_as_a_user_with_a_number_that_is_not_roots(config: Any) -> None:
    assert config["User"] == USER


def test_it_has_the_same_files_when_it_is_built_again(images: Images, image: str, build: Callable[[str], str]) -> None:
    again = build("localhost/again")
    assert images.layers(again) == images.layers(image)


def test_its_commands_need_no_shell(config: Any) -> None:
    assert (config["Entrypoint"], config["Cmd"]) == (["omni-gateway"], ["serve"])
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_it_says_what_it_is_and_where_it_is_reached(config: Any) -> None:
    labels = {name.rpartition(".")[2]: value for name, value in config["Labels"].items() if "opencontainers" in name}
    assert (labels["title"], labels["version"], labels["revision"]) == ("omni-gateway", "1.2.3", "abc")
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert list(config["Volumes"]) == ["/var/lib/omni-gateway"]


@dataclass
class Container:
    """A process with the image as its root, which it cannot write to."""

    root: Path
    url: str
    environ: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the image, as its user."""
        inside = [CHROOT, f"--userspec={USER}", str(self.root), *command]
        return subprocess.run(inside, env=self.environ, capture_output=True, text=True, timeout=60, check=False)

    def stop(self) -> int:
        """Send SIGTERM to the process that is the first one in there, and return its exit status."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


#: In mount and process namespaces of its own: the root is read-only, /tmp and the state are not, and proc and dev are
#: those of any container. `$1` is the root,
#: `$2` the state.
MOUNTS = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/var/lib/omni-gateway"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; shift 2
exec "$CHROOT" --userspec="$USER" "$root" "$@"
"""


@pytest.fixture(scope="module")
def container(images: Images, image: str, config: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    root = Path(images.buildah("mount", images.buildah("from", image)))
    shells = [root / folder / name for folder in ("bin", "usr/bin") for name in ("sh", "dash", "bash")]
    for shell in shells:
        shell.unlink(missing_ok=True)
    state = tmp_path_factory.mktemp("state")
    owner = (root / "var/lib/omni-gateway").stat()
    os.chown(state, owner.st_uid, owner.st_gid)
    environ = dict(variable.split("=", 1) for variable in config["Env"])
    port = free_port()
    environ |= {"OMNI_GATEWAY_BIND": f"127.0.0.1:{port}", "OMNI_GATEWAY_WORKERS": "1", "OMNI_GATEWAY_FLEET": "2"}
    unshare = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/bash", "-c", MOUNTS, "container"]
    log = state.parent / "container.log"
    with log.open("wb") as written:
        command = [*unshare, str(root), str(state), *config["Entrypoint"], *config["Cmd"]]
        process = subprocess.Popen(
            command, env=environ | {"USER": USER, "CHROOT": CHROOT}, stdout=written, stderr=written
        )
    yield Container(root, f"http://127.0.0.1:{port}", environ, process, log)
    process.kill()
    process.wait(STOP_SECONDS)


def answers(container: Container, path: str) -> bool:
    if container.process.poll() is not None:
        if "unshare" in container.log.read_text():
            pytest.skip(f"namespaces cannot be made here: {container.log.read_text()}")
        pytest.fail(container.log.read_text())
    try:
        return httpx.get(container.url + path, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_it_serves_with_a_root_that_cannot_be_written_to_and_no_shell_and_stops_in_good_order(
    container: Container, config: Any, wait_until: Callable[..., Any]
) -> None:
    check = config["Healthcheck"]["Test"][1:]
    wait_until(lambda: answers(container, "/readyz"), START_SECONDS, "the gateway in the image")
    token = re.search(r"export TOKEN=(\S+)", container.log.read_text())
    assert token is not None
    headers = {"Authorization": f"Bearer {token[1]}"}
    machines = httpx.get(f"{container.url}/api/v1/machines", headers=headers, timeout=30).json()
    healthy = container.run(*check)
    status = container.stop()
    unhealthy = container.run(*check)

    assert len(machines) == 2
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert unhealthy.returncode == 1
    assert status == 0
    assert "Traceback" not in container.log.read_text()


def test_what_it_installs_is_what_the_lock_has(container: Container) -> None:
    listing = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    installed = set(container.run("python3", "-c", listing).stdout.split())
    assert {"omni-gateway", "flask", "psycopg"} <= installed
    assert {"pip", "setuptools", "pytest"} & installed == set()
