"""The image, built as an operator builds it, by `docker compose build`: podman does it, from a base that is made here.

An image is built once of the same files. Those of other contents are removed: each takes gigabytes.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.containers import base, environment, package_options, podman

ROOT = Path(__file__).parents[2]
IMAGE = "localhost/openfaze:latest"
"""What docker-compose.yml calls it."""
PREVIOUS = "f22dcbe45cf73227cc49ddf2bde66e5360f71f78"
"""The commit of version 0.1.0."""
_COPIED = ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "app", "tasks", "models")
_CONTEXT = (*_COPIED, "requirements", "docker/healthcheck.py")
"""What an image is made of."""
_BUILT = "localhost/openfaze-test/image"
_DEBIAN = 13
"""That of the Dockerfile's base."""
_STAND_IN = """
FROM {base}
# As in python:3.x-slim: a `python` with pip in /usr/local, and no files of apt's left by who installs something.
RUN python3 -m venv /usr/local \\
    && echo 'DPkg::Post-Invoke {{ "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; }};' \\
       > /etc/apt/apt.conf.d/docker-clean
"""


def compose(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """One command of compose's in `folder`, as in a shell that has no settings but `variables`."""
    ours = ("OPENFAZE_", "COMPOSE_", "PODMAN_COMPOSE_")
    inherited = {name: value for name, value in environment().items() if not name.startswith(ours)}
    # Podman's own format has no health checks.
    env = {**inherited, "BUILDAH_FORMAT": "docker", **(variables or {})}
    program = Path(sys.executable).with_name("podman-compose")
    done = subprocess.run([program, *arguments], cwd=folder, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"compose {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done


def stand_in() -> str:
    """The name of an image that is to the Dockerfile what python:3.x-slim is."""
    debian = base(_DEBIAN, "netbase", "passwd", "python3", "python3-venv", "tzdata")
    recipe = _STAND_IN.format(base=debian)
    name = f"localhost/openfaze-test/python:{_digest(recipe.encode())}"
    if not _exists(name):
        podman("build", "--pull=never", "--tag", name, "-", input=recipe)
    return name


def current() -> str:
    """The name of the image of this checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *_CONTEXT],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
    contents = b"".join(name.encode() + b"\0" + (ROOT / name).read_bytes() for name in names)
    name = _built(_digest(contents), ROOT)
    _forget_all_but(name, _name(PREVIOUS))
    return name


def previous(folder: Path) -> str:
    """The name of the image of version 0.1.0, whose files are put into `folder`."""
    archive = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, check=False, capture_output=True)
    if archive.returncode:
        pytest.skip(f"needs the commit of version 0.1.0, and this clone has it not: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return _built(PREVIOUS, folder)


def _built(key: str, folder: Path) -> str:
    name = _name(key)
    if not _exists(name):
        options = " ".join(("--pull=never", *package_options()))
        variables = {
            "PYTHON_IMAGE": stand_in(),
            "COMPOSE_FILE": "docker-compose.yml",
            "COMPOSE_PROJECT_NAME": "openfaze",
        }
        compose(folder, f"--podman-build-args={options}", "build", "openfaze", variables=variables)
        podman("tag", IMAGE, name)
    return name


def _forget_all_but(*kept: str) -> None:
    """Removes images of other contents, and what nothing else was made of."""
    listed = podman("images", "--format", "{{.Repository}}:{{.Tag}}", _BUILT).stdout.split()
    for name in set(listed) - set(kept):
        podman("rmi", "--force", name, check=False)


def _name(key: str) -> str:
    return f"{_BUILT}:{_digest(f'{key} {stand_in()}'.encode())}"


def _exists(name: str) -> bool:
    return podman("image", "exists", name, check=False).returncode == 0


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
