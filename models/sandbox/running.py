"""Runs one script in bubblewrap, and ends it at its limits of time and memory."""

import marshal
import os
import platform
import select
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from models.sandbox.held_memory import held_bytes
from models.sandbox.interpreter import PACKAGES_FOLDER, PYTHON_HOME, Bind, hidden_folders, interpreter_binds, program
from models.sandbox.script import BadAnswer, SandboxLimits, Script, ScriptOutcome, Stop, max_answer_bytes, read_answer
from models.sandbox.seccomp import filter_program

_DEVICES = ("null", "full", "random", "urandom")
"""Devices in the sandbox. `zero` is not among them, because shared mappings of it take memory that is counted for no
process."""

_PROGRAM = "/sandbox/inside.py"

_BACKEND = "openfaze_figures"

_ENVIRONMENT = {
    "HOME": "/tmp/work",  # noqa: S108
    "TMPDIR": "/tmp",  # noqa: S108
    "PATH": f"{PYTHON_HOME}/bin",
    "LD_LIBRARY_PATH": f"{PYTHON_HOME}/lib",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": PACKAGES_FOLDER,
    "MPLBACKEND": f"module://{_BACKEND}",
    "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
    # Each thread of these libraries would count as a process, and take memory for nothing.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}

_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")

_CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID")
"""Capabilities that the first process in the sandbox needs if the server runs as root: to mount its file system, and to
become the user `nobody`."""

_NICENESS = 10
"""The server and its engines go first on a busy machine: a script's thread gets a tenth of the share of theirs."""
_POLL_S = 0.05
"""Seconds between two checks of the limits of time and memory, and of whether the caller has left."""
_GRACE_S = 3.0
"""The first process in the sandbox may take this many seconds to end all others and to report."""
_FIRST_TO_BE_KILLED = ("/bin/sh", "-c", '{ echo 1000 > /proc/self/oom_score_adj; } 2> /dev/null; exec "$@"', "sh")
"""Command that runs its arguments as a program that the kernel ends before the server if memory runs short."""


def is_privileged() -> bool:
    """Return True if the server runs as root. Bubblewrap then creates no user namespace, and the first process in the
    sandbox becomes the user `nobody`. If root were only mapped to `nobody`, the kernel would not enforce the limit on
    processes."""
    return os.geteuid() == 0


@dataclass(frozen=True, slots=True)
class SandboxSetup:
    """The parts of the sandbox that are the same for every script."""

    bubblewrap: str
    binds: Sequence[Bind] = field(default_factory=interpreter_binds)

    def command(self, request: int, files: Sequence[tuple[str, int]]) -> list[str]:
        """Return the command that runs a script. `request` is the descriptor from which the script is read. `files`
        contains the name of each input file and the descriptor from which the file is read."""
        here = Path(__file__).parent
        command = [*_FIRST_TO_BE_KILLED, self.bubblewrap, *_NAMESPACES, "--die-with-parent", "--as-pid-1", "--clearenv"]
        command += ["--hostname", "sandbox", "--cap-drop", "ALL"]
        if is_privileged():
            command += [part for name in _CAPABILITIES for part in ("--cap-add", name)]
        else:
            command += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-add", "CAP_SYS_ADMIN"]
        for name, value in _ENVIRONMENT.items():
            command += ["--setenv", name, value]
        ours = [Bind(here / "inside.py", _PROGRAM), Bind(here / "figures.py", f"{PACKAGES_FOLDER}/{_BACKEND}.py")]
        binds = [*self.binds, *ours]
        # Each folder gets its mode, because bubblewrap would otherwise make the folders above a file accessible to its
        # owner only.
        for folder in _folders([*(bind.target for bind in binds), "/dev/shm/", "/tmp/", "/input/"]):  # noqa: S108
            command += ["--perms", "0755", "--dir", folder]
        for bind in binds:
            command += bind.arguments
        for path in hidden_folders():
            command += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
        for device in _DEVICES:
            command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        for name, descriptor in files:
            command += ["--perms", "0444", "--ro-bind-data", str(descriptor), f"/input/{name}"]
        command += ["--remount-ro", "/", "--chdir", "/", "--"]
        return [*command, program(), "-I", "-S", "-B", "-X", "utf8", _PROGRAM, str(request)]


def _folders(paths: Sequence[str]) -> list[str]:
    """Return all folders above `paths`, each after the folder that contains it."""
    above = {str(folder) for path in paths for folder in Path(f"{path}x").parents}
    return sorted(above - {"/"})


def memory_file(stack: ExitStack, data: bytes) -> int:
    """Return a descriptor from which `data` can be read. No file appears in any folder; `stack` closes the
    descriptor."""
    descriptor = os.memfd_create("openfaze")
    stack.callback(os.close, descriptor)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def run_script(room: SandboxSetup, script: Script, limits: SandboxLimits, cancelled: Event) -> ScriptOutcome:
    """Run a script, and block until its processes have ended. The calling thread must not end before them, because
    bubblewrap ends when the thread that started it does.

    Raises BadAnswer if the sandbox fails, or if the script disrupts the first process in it. Raises OSError if no
    process can be started.
    """
    with ExitStack() as stack:
        request = memory_file(stack, marshal.dumps(_request(script, limits)))
        files = [(file.name, memory_file(stack, file.data)) for file in script.files]
        process = subprocess.Popen(  # noqa: S603 - no shell; the arguments are ours
            room.command(request, files),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(request, *(descriptor for _, descriptor in files)),
            # Some builds of Python find their own library through this variable.
            env={name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
            cwd="/",
            # All processes of the sandbox share this session, which has no terminal.
            start_new_session=True,
        )
        stack.enter_context(process)
        stack.callback(_stop, process)
        return _wait_for_answer(process, limits, cancelled)


def _request(script: Script, limits: SandboxLimits) -> dict[str, object]:
    """Return the script and its limits in the form that `inside.py` reads."""
    return {
        "code": script.code,
        "filter": filter_program(platform.machine()),
        "machine": platform.machine(),
        "privileged": is_privileged(),
        "seconds": limits.seconds,
        "memory": limits.memory,
        "disk": limits.disk,
        "output": limits.output,
        "images": limits.images,
        "processes": limits.processes,
        "niceness": _NICENESS,
    }


def _wait_for_answer(process: "subprocess.Popen[bytes]", limits: SandboxLimits, cancelled: Event) -> ScriptOutcome:
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout.fileno()
    reader = select.poll()  # unlike select, poll takes descriptors of any number
    reader.register(output, select.POLLIN)
    deadline = time.monotonic() + limits.seconds
    stopped: Stop | None = None
    written = bytearray()
    max_bytes = max_answer_bytes(limits)
    while len(written) <= max_bytes:
        if reader.poll(_POLL_S * 1000):
            data = os.read(output, 1 << 20)
            if not data:
                return read_answer(bytes(written), stopped)
            written += data
            continue
        late = time.monotonic() - deadline
        if process.stdin.closed:
            if late > _GRACE_S:
                raise BadAnswer("it does not end")
            continue
        holds_too_much = held_bytes(process.pid) > limits.memory
        if cancelled.is_set() or late > 0 or holds_too_much:
            stopped = None if cancelled.is_set() else "time" if late > 0 else "memory"
            deadline = time.monotonic()
            process.stdin.close()
    raise BadAnswer(f"more than {max_bytes} bytes came out")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the script by closing the standard input of the first process in the sandbox. If bubblewrap does not end in
    time, it is killed, and the sandbox with it."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
