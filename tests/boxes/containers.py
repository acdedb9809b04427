"""Containers of bare Debian machines, run by podman, for tests that start from nothing.

Base images are made here by mmdebstrap, so that no registry of images is needed. Images and containers are kept in a
storage of their own below the user's cache directory: the user's podman is neither read nor changed. Files with which
the machine reaches its package registries (certificates, indexes, proxies) are mounted into the containers.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import re
import resource
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openfaze-test-images"
RELEASES = {12: "bookworm", 13: "trixie", 14: "forky"}
"""Debian's names of its versions, which have Python 3.11, 3.13 and 3.14. The last is not released yet and changes
daily, so nothing depends on it."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Place of the bundle of certificates in Debian, and thus in every container."""
PROCESSES = 16_384
"""Largest number of processes of one user in a container. A server has some dozens."""
OWNER = "openfaze_test"
"""Label of a container with the process that it belongs to."""
PROJECT = "openfaze-test-"
"""Beginning of the names of compose's projects, and thus of their containers, networks and volumes."""
_LISTED = {
    "container": ("ps", "--all", "--format={{.Names}}"),
    "network": ("network", "ls", "--format={{.Name}}"),
    "volume": ("volume", "ls", "--format={{.Name}}"),
}
"""Commands that list what compose makes, in the order in which it can be removed."""
_REMOVED = {
    "container": ("rm", "--force", "--time=0"),
    "network": ("network", "rm", "--force"),
    "volume": ("volume", "rm", "--force"),
}
VM = (
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=unmask=ALL",
    "--cap-add=ALL",
)
"""Options of a container that resembles a machine: its root and its users may make sandboxes of their own."""

IDLE = ("bash", "-c", "trap exit TERM; sleep infinity & wait")
"""Command that keeps a container running. Unlike `sleep`, the shell reaps processes whose parents are gone."""
BOOTED = (*VM, "--systemd=always", "--tmpfs=/run", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw")
"""Options of a container in which SYSTEMD starts systemd."""
SYSTEMD = ("/sbin/init",)


def podman(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a podman command, and return it with its output.

    Raises AssertionError, with the output, if the command fails, unless `check=False`.
    """
    check = options.pop("check", True)
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "errors": "replace", **options}
    done = subprocess.run(["podman", *arguments], env=environment(), check=False, **options)
    assert done.returncode == 0 or not check, f"podman {' '.join(arguments)}\n{done.stdout or ''}\n{done.stderr or ''}"
    return done


def reason_to_skip(debian: int, *packages: str) -> str | None:
    """Return the reason why no container can run here, or None if a container of `base(debian, *packages)` just ran."""
    absent = [program for program in ("podman", "mmdebstrap") if shutil.which(program) is None]
    return f"needs {' and '.join(absent)}, to start from nothing" if absent else _failure(debian, *packages)


@functools.cache
def _failure(debian: int, *packages: str) -> str | None:
    try:
        podman("run", "--rm", base(debian, *packages), "true")
    except AssertionError as error:
        return f"podman can run no container here: {error}"
    return None


def base(debian: int, *packages: str) -> str:
    """Return the name of an image with Debian's required packages, apt, certificates and `packages`.

    The image is made on first use.
    """
    mirrors = [f"{kind} {address} {suite} main" for kind, address, suite in _mirrors(RELEASES[debian])]
    included = ",".join(sorted({"ca-certificates", *packages}))
    # apt keeps the options for what tests install later. A mirror may keep a list for longer than it is valid.
    options = ['--aptopt=Acquire::Retries "10"', '--aptopt=Acquire::Check-Valid-Until "false"']
    recipe = ["mmdebstrap", "--quiet", "--variant=minbase", *options, f"--include={included}", RELEASES[debian]]
    key = hashlib.sha256(json.dumps([recipe, mirrors]).encode()).hexdigest()[:12]
    name = f"localhost/openfaze-test/debian{debian}:{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    # Several test processes may need the image at once.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if podman("image", "exists", name, check=False).returncode == 0:
            return name
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            tar = f"{folder}/base.tar"
            made = subprocess.run([*recipe, tar, *mirrors], capture_output=True, text=True, check=False)
            assert made.returncode == 0, f"{' '.join(recipe)}\n{made.stderr}"
            podman("import", "--quiet", tar, name)
    return name


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Provide a folder for containers to mount and work in, with links to this machine's uv cache as `uv`.

    The links share the files, so that nothing is fetched twice, and anybody may write to the folders. An environment
    made below the same mount consists of links, too.
    """
    clear_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"mounted-{os.getpid()}-", dir=CACHE))
    try:
        cache = Path(os.environ.get("UV_CACHE_DIR") or CACHE.parent / "uv")
        if cache.is_dir() and cache.stat().st_dev == CACHE.stat().st_dev:
            subprocess.run(["cp", "--archive", "--link", cache, folder / "uv"], check=True)
        for below, _, files in os.walk(folder):
            Path(below).chmod(0o777)
            # uv opens these files for writing, and another user would own them.
            for opened in (Path(below) / name for name in files if name == ".git" or name.endswith(".lock")):
                opened.unlink()
        yield folder
    finally:
        _remove(folder)


def project_name() -> str:
    """Return a new name for a project of compose, which tells to which process its containers and networks belong."""
    return f"{PROJECT}{os.getpid()}-{secrets.token_hex(4)}"


@functools.cache
def clear_leftovers() -> None:
    """Remove containers, networks, volumes and folders of killed tests.

    A network goes with the rules by which the machine translates its addresses: podman removes those with the last
    container of the network.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    shown = podman("ps", "--all", f"--filter=label={OWNER}", "--format={{.ID}} {{.Labels." + OWNER + "}}").stdout
    for container, owner in map(str.split, shown.splitlines()):
        if not Path(f"/proc/{owner}").exists():
            podman("rm", "--force", "--time=0", container)
    for kind, listed in _LISTED.items():
        for name in left_by_killed(podman(*listed).stdout.split()):
            podman(*_REMOVED[kind], name, check=False)  # another run may remove it at the same time
    for folder in CACHE.glob("mounted-*"):
        if not Path(f"/proc/{folder.name.split('-')[1]}").exists():
            _remove(folder)


def left_by_killed(names: Sequence[str]) -> list[str]:
    """Return those names that begin with a project's, as `project_name` makes it, of a process that has ended."""
    owners = {name: re.match(rf"{PROJECT}(\d+)-[0-9a-f]{{8}}[_-]", name) for name in names}
    return [name for name, owner in owners.items() if owner and not Path(f"/proc/{owner[1]}").exists()]


def _remove(folder: Path) -> None:
    """Remove a folder in which containers have worked, whoever owns its files there.

    (Python would be slow to remove a hundred thousand links.)
    """
    command = ("rm", "-rf", str(folder))
    if os.getuid():
        podman("unshare", *command)
    else:
        subprocess.run(command, check=True)


def package_options() -> list[str]:
    """Return options of `podman run` and `podman build` with which apt, pip and uv reach the same servers as on this
    machine.

    The options mount files: a variable passed to `podman build` would stay in the image.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    mounts: dict[str, Path] = {}
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    for candidate in filter(None, (bundle, CERTIFICATES)):
        if Path(candidate).is_file():
            mounts[CERTIFICATES] = Path(candidate)
            break
    mounts["/etc/pip.conf"] = _kept("pip.conf", _pip_conf())
    mounts["/etc/uv/uv.toml"] = _kept("uv.toml", _uv_toml())
    return [f"--volume={here}:{there}:ro" for there, here in mounts.items()]


@dataclass(frozen=True)
class Container:
    """Container that runs until `started` ends, and in which commands can be run."""

    id: str

    def run(
        self,
        command: str,
        *,
        user: str = "root",
        variables: Mapping[str, str] | None = None,
        check: bool = True,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in a shell, and return it with its output. Raises AssertionError if it fails, unless
        `check=False`."""
        return podman(*self._exec(command, user, variables or {}), check=check, **options)

    def start(
        self, command: str, *, user: str = "root", variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start `command` in a shell. Its output can be read from its standard output."""
        return subprocess.Popen(
            ["podman", *self._exec(command, user, variables or {})],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def _exec(self, command: str, user: str, variables: Mapping[str, str]) -> list[str]:
        given = [f"--env={name}={value}" for name, value in variables.items()]
        return ["exec", "--interactive", f"--user={user}", *given, self.id, "bash", "-c", command]


@contextlib.contextmanager
def started(image: str, *options: str, command: Sequence[str] = IDLE) -> Iterator[Container]:
    """Provide a container of `image` in which only `command` runs, and the commands of the test."""
    label = f"--label={OWNER}={os.getpid()}"
    begun = podman("run", "--detach", label, *package_options(), *options, image, *command)
    container = Container(begun.stdout.strip())
    try:
        yield container
    finally:
        podman("rm", "--force", "--time=0", container.id)


def environment() -> dict[str, str]:
    """Return this process's variables, and podman's settings next to the images, for programs that call podman."""
    settings, storage = _settings()
    return {**os.environ, "CONTAINERS_CONF": str(settings), "CONTAINERS_STORAGE_CONF": str(storage)}


@functools.cache
def _settings() -> tuple[Path, Path]:
    CACHE.mkdir(parents=True, exist_ok=True)
    # Podman demands more than a process gets that must not raise its limits, and starts containers with fewer processes
    # than its own limit.
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    ulimits = [f"nofile={files}:{files}", f"nproc={PROCESSES}:{PROCESSES}"]
    network = '[network]\nnetwork_backend = "netavark"\n' if _netavark() else ""
    containers = f'[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = {json.dumps(ulimits)}\n'
    settings = f"{containers}{_engine()}{network}"
    # Mounts do not survive a restart of the machine, and in this folder neither do podman's records of them.
    runs = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"openfaze-test-containers-{os.getuid()}"
    storage = f'[storage]\ndriver = "overlay"\ngraphroot = "{CACHE / "storage"}"\nrunroot = "{runs}"\n'
    return _kept("containers.conf", settings), _kept("storage.conf", storage)


def _netavark() -> bool:
    return any((Path(folder) / "podman/netavark").exists() for folder in ("/usr/lib", "/usr/libexec", "/usr/local/lib"))


def _engine() -> str:
    """Return the engine section of podman's configuration.

    Events are logged to a file, whether or not systemd is there. On a mixture of old and new cgroups, runc replaces
    crun, podman's default, which does not start there.
    """
    hybrid = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
    runtime = 'runtime = "runc"\ncgroup_manager = "cgroupfs"\n' if hybrid and _has_runc() else ""
    return f'[engine]\nevents_logger = "file"\n{runtime}'


def _has_runc() -> bool:
    return shutil.which("runc", path="/usr/sbin:/usr/bin") is not None


def _mirrors(release: str) -> list[tuple[str, str, str]]:
    """Return the places where apt finds `release`: Debian's own servers, or this machine's mirror."""
    debian, security = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
    if shutil.which("apt-get"):
        asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
        known = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
        addresses = [address.rstrip("/") for address in known]
        debian = next((address for address in addresses if address.endswith("/debian")), debian)
        security = next((address for address in addresses if address.endswith("/debian-security")), security)
    return [("deb", debian, release), ("deb", debian, f"{release}-updates"), ("deb", security, f"{release}-security")]


def _pip_conf() -> str:
    """Return a configuration of pip with this machine's indexes, without any that are local files."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    values = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        values[name.rpartition(".")[2]] = value.strip("'\"")
    names = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout", "timeout")
    kept = [f"{name} = {values[name]}" for name in names if name in values and "file:" not in values[name]]
    return "\n".join(["[global]", f"cert = {CERTIFICATES}", *kept, ""])


def _uv_toml() -> str:
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    return "system-certs = true\n" + (f"index-url = {json.dumps(index)}\n" if index else "")


def _kept(name: str, text: str) -> Path:
    """Return a file of `text` in the cache. Another process may be reading its former content."""
    path = CACHE / name
    if not path.exists() or path.read_text() != text:
        new = path.with_name(f"{name}.{os.getpid()}")
        new.write_text(text)
        new.replace(path)
    return path
