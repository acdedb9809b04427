"""The image, built as an operator builds it, by `docker compose build`: podman does it, from a base that is made here.

An image is built once of the same files. Those of other contents of this checkout are removed: each takes gigabytes.
"""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.boxes.containers import base, environment, package_options, podman

ROOT = Path(__file__).parents[3]
_IMAGE = "localhost/openfaze:latest"
"""What docker-compose.yml calls it."""
_COPIED = ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "app", "tasks", "models")
_CONTEXT = (*_COPIED, "requirements", "docker/healthcheck.py")
"""What an image is made of."""
_BUILT = "localhost/openfaze-test/image"
BASE = (13, "netbase", "passwd", "python3", "python3-venv", "tzdata")
"""The Debian of the Dockerfile's base, and what of it python:3.x-slim has."""
_STAND_IN = """
FROM {base}
# As in python:3.x-slim: a `python` with pip in /usr/local, and no files of apt's left by who installs something.
RUN python3 -m venv /usr/local \\
    && echo 'DPkg::Post-Invoke {{ "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; }};' \\
       > /etc/apt/apt.conf.d/docker-clean
"""


PODMAN_COMPOSE = Path(sys.executable).with_name("podman-compose")


def compose(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """One command of compose's in `folder`."""
    return called(folder, str(PODMAN_COMPOSE), *arguments, variables=variables, check=check)


def called(
    folder: Path, *command: str, variables: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """A command in `folder`, as in a shell that has no settings but `variables`."""
    ours = ("OPENFAZE_", "COMPOSE_", "PODMAN_COMPOSE_")
    inherited = {name: value for name, value in environment().items() if not name.startswith(ours)}
    # Podman's own format has no health checks.
    env = {**inherited, "BUILDAH_FORMAT": "docker", **(variables or {})}
    done = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


def stand_in() -> str:
    """The name of an image that is to the Dockerfile what python:3.x-slim is."""
    return made("python", _STAND_IN.format(base=base(*BASE)))


def made(name: str, recipe: str) -> str:
    """The name of the image that a recipe without files of its own makes."""
    tagged = f"localhost/openfaze-test/{name}:{_digest(recipe.encode())}"
    if not _exists(tagged):
        podman("build", "--pull=never", "--tag", tagged, "-", input=recipe)
    return tagged


def for_a_card() -> str:
    """The name of the image with CUDA of docker/gpu.yml. It is built anew for another Dockerfile or lock alone: the
    project in it may be that of another state of this checkout."""
    recipe = (ROOT / "Dockerfile").read_bytes() + (ROOT / "requirements/gpu.txt").read_bytes()
    python = stand_in()
    name = f"{_BUILT}-gpu:{_digest(recipe + python.encode())}"
    if not _exists(name):
        options = ("--format=docker", "--pull=never", *package_options())
        arguments = (f"--build-arg=PYTHON_IMAGE={python}", "--build-arg=LOCK=gpu")
        podman("build", *options, *arguments, "--tag", name, str(ROOT))
    return name


def current(*added: str) -> str:
    """The name of the image of this checkout, as docker-compose.yml and the compose files `added` to it have it."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *_CONTEXT, *added],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = sorted(name for name in files.stdout.split("\0") if name and (ROOT / name).is_file())
    contents = b"".join(name.encode() + b"\0" + (ROOT / name).read_bytes() for name in names)
    # Another checkout's may be in use.
    repository = f"{_BUILT}-{_digest(''.join((str(ROOT), *added)).encode())}"
    name = _built(repository, contents, ROOT, COMPOSE_FILE=":".join(("docker-compose.yml", *added)))
    listed = podman("images", "--format", "{{.Repository}}:{{.Tag}}", repository)
    for other in set(listed.stdout.split()) - {name}:
        podman("rmi", other, check=False)
    return name


def _built(repository: str, contents: bytes, folder: Path, **variables: str) -> str:
    python = stand_in()
    name = f"{repository}:{_digest(contents + python.encode())}"
    if not _exists(name):
        options = " ".join(("--pull=never", *package_options()))
        ours = {"COMPOSE_FILE": "docker-compose.yml", "COMPOSE_PROJECT_NAME": "openfaze", "PYTHON_IMAGE": python}
        compose(folder, f"--podman-build-args={options}", "build", "openfaze", variables={**ours, **variables})
        podman("tag", _IMAGE, name)
    return name


def _exists(name: str) -> bool:
    return podman("image", "exists", name, check=False).returncode == 0


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
