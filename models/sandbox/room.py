"""How bubblewrap is called: every namespace new, a read-only tree of little, and our first process in it."""

import os
import platform
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from models.sandbox.interpreter import HOME, PACKAGES, Bind, hidden, interpreter_binds, program

_DEVICES = ("null", "zero", "full", "random", "urandom")
_INSIDE = "/sandbox/inside.py"
_BACKEND = "openfaze_figures"
_VARIABLES = {
    "HOME": "/tmp/work",  # noqa: S108
    "TMPDIR": "/tmp",  # noqa: S108
    "PATH": f"{HOME}/bin",
    "LD_LIBRARY_PATH": f"{HOME}/lib",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": PACKAGES,
    "MPLBACKEND": f"module://{_BACKEND}",
    "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
    # Each thread of theirs counts as a process, and takes memory that is not needed.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
_STEPS_DOWN = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID")
"""What our first process needs of root's privileges to make its files and to become nobody."""


def is_privileged() -> bool:
    """Whether this is root: bubblewrap then makes the namespaces without one for users, and the first process
    becomes nobody in them. Were root only mapped to nobody, the kernel would not enforce the limit of processes."""
    return os.geteuid() == 0


@dataclass(frozen=True, slots=True)
class Room:
    """What is the same for every script."""

    bubblewrap: str
    binds: Sequence[Bind] = field(default_factory=interpreter_binds)
    choom: str | None = field(default_factory=lambda: shutil.which("choom"))
    """Where it is installed, the kernel short of memory ends a script rather than the server."""

    def command(self, request: int, files: Sequence[tuple[str, int]]) -> list[str]:
        """`request`, and the second of each of `files` beside its name, are descriptors to read from."""
        command = [self.choom, "-n", "1000", "--"] if self.choom else []
        command += [self.bubblewrap, *_NAMESPACES, "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
        command += ["--hostname", "sandbox", "--cap-drop", "ALL"]
        if is_privileged():
            command += [part for name in _STEPS_DOWN for part in ("--cap-add", name)]
        else:
            command += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-add", "CAP_SYS_ADMIN"]
        for name, value in _VARIABLES.items():
            command += ["--setenv", name, value]
        here = Path(__file__).parent
        ours = [Bind(here / "inside.py", _INSIDE), Bind(here / "figures.py", f"{PACKAGES}/{_BACKEND}.py")]
        binds = [*self.binds, *ours]
        # Said for each, as bubblewrap makes the folders above a file for its owner only.
        for folder in _folders([*(bind.target for bind in binds), "/dev/shm/", "/tmp/", "/input/"]):  # noqa: S108
            command += ["--perms", "0755", "--dir", folder]
        for bind in binds:
            command += bind.arguments
        for path in hidden():
            command += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        for device in _DEVICES:
            command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        for name, descriptor in files:
            command += ["--perms", "0444", "--ro-bind-data", str(descriptor), f"/input/{name}"]
        command += ["--remount-ro", "/", "--chdir", "/", "--"]
        return [*command, program(), "-I", "-S", "-B", "-X", "utf8", _INSIDE, str(request)]


def _folders(paths: Sequence[str]) -> list[str]:
    """All folders above `paths`, outer ones first."""
    above = {str(folder) for path in paths for folder in Path(f"{path}x").parents}
    return sorted(above - {"/"})


def memory_file(stack: ExitStack, data: bytes) -> int:
    """A descriptor to read `data` from, which lies in no folder; `stack` closes it."""
    descriptor = os.memfd_create("openfaze")
    stack.callback(os.close, descriptor)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def machine() -> str:
    return platform.machine()
