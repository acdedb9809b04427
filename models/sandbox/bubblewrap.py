"""The engine of the `code_sandbox` capability: whether bubblewrap can make a sandbox here, and scripts run in it.

The Python that runs there is this one, its standard library and a few packages, each under a path of its own, so that a
script learns nothing about the machine's folders.
"""

import marshal
import os
import platform
import select
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from threading import Event

import structlog
from packaging.requirements import Requirement

from models.base import EngineUnavailable
from models.host import EngineHost
from models.sandbox.outside import TOO_MANY_STARTS, TOO_MUCH_MEMORY, UNSEEN
from models.sandbox.script import CAPABILITY, BadAnswer, Outcome, SandboxLimits, Script, Stop, most_bytes, read_answer
from models.sandbox.seccomp import ARCHITECTURES, filter_program

HOME = "/python"
PACKAGES = "/packages"
OFFERED = ("numpy", "pandas", "matplotlib", "scipy", "openpyxl")
"""Packages that a script can import, with what they need, where they are installed here."""

_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
"""Shared libraries and time zones. No programs, no configuration, nothing of any user's."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the machine's, read-only in the sandbox."""

    source: Path
    target: str

    @property
    def arguments(self) -> list[str]:
        """For bubblewrap."""
        if self.source.is_symlink() and str(self.source) == self.target:
            return ["--symlink", str(self.source.readlink()), self.target]
        return ["--ro-bind", str(self.source.resolve()), self.target]


def program() -> str:
    return f"{HOME}/bin/{_executable().name}"


def interpreter_binds() -> list[Bind]:
    """The system's libraries, and this Python without its site-packages."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [Bind(Path(path), path) for path in _SYSTEM if Path(path).exists()]
    found += [Bind(_executable(), program()), Bind(library, f"{HOME}/{sys.platlibdir}/{library.name}")]
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        name = sysconfig.get_config_var("INSTSONAME")
        # Beside the interpreter where both were moved together, else where they were built for.
        places = (Path(sys.base_prefix) / "lib", Path(sysconfig.get_config_var("LIBDIR")))
        # Debian's own interpreter needs none, though it says so: the library is a package of its own there.
        shared = next((place / name for place in places if (place / name).exists()), None)
        if shared is not None:
            found.append(Bind(shared, f"{HOME}/lib/{name}"))
    return found


def hidden() -> list[str]:
    """Folders within those that are none of a script's business."""
    library = Path(sysconfig.get_path("stdlib"))
    return [
        f"{HOME}/{sys.platlibdir}/{library.name}/{name}"
        for name in ("site-packages", "dist-packages")
        if (library / name).is_dir()
    ]


def package_binds(names: Sequence[str] = OFFERED) -> list[Bind]:
    """Modules of `names` and of all that they require, as far as they are installed. Reads their lists of files."""
    found = {
        top: Bind(Path(str(one.locate_file(top))), f"{PACKAGES}/{top}")
        for one in _with_requirements(names)
        for top in _top_levels(one)
    }
    return [found[top] for top in sorted(found)]


def _executable() -> Path:
    return Path(sys.executable).resolve()


def _with_requirements(names: Sequence[str]) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            one = found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        requirements = map(Requirement, one.requires or ())
        waiting += [need.name for need in requirements if need.marker is None or need.marker.evaluate({"extra": ""})]
    return list(found.values())


def _top_levels(one: Distribution) -> Iterator[str]:
    tops = {file.parts[0] for file in one.files or ()}
    for top in tops - {"..", "__pycache__"}:
        if not top.endswith((".dist-info", ".egg-info", ".pth")):
            yield top


_DEVICES = ("null", "full", "random", "urandom")
"""Not `zero`: what is mapped from it and shared is memory that no process is charged with."""
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

    def command(self, memory: int, request: int, files: Sequence[tuple[str, int]]) -> list[str]:
        """`memory` is in bytes; `request`, and the second of each of `files` beside its name, are descriptors to read
        from."""
        here = Path(__file__).parent
        command = [str(_executable()), "-I", "-S", "-B", str(here / "outside.py"), str(memory)]
        command += [self.bubblewrap, *_NAMESPACES, "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
        command += ["--hostname", "sandbox", "--cap-drop", "ALL"]
        if is_privileged():
            command += [part for name in _STEPS_DOWN for part in ("--cap-add", name)]
        else:
            command += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-add", "CAP_SYS_ADMIN"]
        for name, value in _VARIABLES.items():
            command += ["--setenv", name, value]
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


_LOOK_S = 0.05
"""Between two looks at the clock, and whether anybody still waits."""
_GRACE_S = 3.0
"""For the first process to end the others and to report."""


def run_script(room: Room, script: Script, limits: SandboxLimits, cancelled: Event) -> Outcome:
    """Blocks until all is over. The thread must live as long: bubblewrap is ended with the thread that started it.

    Raises BadAnswer: the sandbox itself broke, or the script broke its first process.
    """
    with ExitStack() as stack:
        request = memory_file(stack, marshal.dumps(_request(script, limits)))
        files = [(file.name, memory_file(stack, file.data)) for file in script.files]
        process = subprocess.Popen(  # noqa: S603 - no shell; the arguments are ours
            room.command(limits.memory, request, files),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(request, *(descriptor for _, descriptor in files)),
            # Some Pythons find their own library by it.
            env={name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
            cwd="/",
        )
        stack.enter_context(process)
        stack.callback(_end, process)
        return _watched(process, limits, cancelled)


def _request(script: Script, limits: SandboxLimits) -> dict[str, object]:
    """As `inside.py` reads it."""
    return {
        "code": script.code,
        "filter": filter_program(machine()),
        "machine": machine(),
        "privileged": is_privileged(),
        "seconds": limits.seconds,
        "memory": limits.memory,
        "disk": limits.disk,
        "output": limits.output,
        "images": limits.images,
        "processes": limits.processes,
    }


def _watched(process: "subprocess.Popen[bytes]", limits: SandboxLimits, cancelled: Event) -> Outcome:
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout.fileno()
    reader = select.poll()  # unlike select, it takes descriptors of any number
    reader.register(output, select.POLLIN)
    deadline = time.monotonic() + limits.seconds
    stopped: Stop | None = None
    said = bytearray()
    most = most_bytes(limits)
    while len(said) <= most:
        if reader.poll(_LOOK_S * 1000):
            data = os.read(output, 1 << 20)
            if not data:
                return _answer(bytes(said), process.wait(_GRACE_S), stopped)
            said += data
            continue
        late = time.monotonic() - deadline
        if process.stdin.closed:
            if late > _GRACE_S:
                raise BadAnswer("it does not end")
        elif cancelled.is_set() or late > 0:
            stopped = None if cancelled.is_set() else "time"
            deadline = time.monotonic()
            process.stdin.close()
    raise BadAnswer(f"more than {most} bytes came out")


_STOPS: dict[int, Stop] = {TOO_MUCH_MEMORY: "memory", TOO_MANY_STARTS: "starts"}
"""What the process outside says with its status."""


def _answer(said: bytes, status: int, stopped: Stop | None) -> Outcome:
    if status == UNSEEN and not said:
        raise BadAnswer(
            "nothing can be seen in /proc of the processes in the sandbox, so that memory cannot be bounded"
        )
    return read_answer(said, _STOPS.get(status, stopped))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process outside ends the script with its standard input; else it is ended, and bubblewrap with it."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


log = structlog.get_logger(__name__)

_INSTALL = "Install bubblewrap (`apt-get install bubblewrap`): code is run in nothing else."
_ALLOW = (
    "bubblewrap is installed, but cannot make a sandbox here: let this user make user namespaces; "
    "`openfaze doctor` logs what it said, and docs/code-sandbox.md tells how, in containers too."
)


@dataclass(frozen=True, slots=True)
class Job:
    """Implements `models.base.Cancellable`."""

    script: Script
    cancelled: Event = field(default_factory=Event)

    def __reduce__(self) -> "tuple[type[Job], tuple[Script]]":
        """In another process it is cancelled there, by whoever has it run."""
        return Job, (self.script,)


class BubblewrapEngine:
    """One script a call; nothing is left of one when the next begins."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._room: Room | None = None

    def load(self) -> None:
        """Raises EngineUnavailable."""
        if remedy := missing():
            raise EngineUnavailable(CAPABILITY, remedy)
        self._room = Room(_program() or "", [*interpreter_binds(), *package_binds()])

    def run(self, batch: Sequence[Job]) -> list[Outcome]:
        assert self._room is not None
        return [run_script(self._room, job.script, self._limits, job.cancelled) for job in batch]

    def close(self) -> None:
        self._room = None


class HostedSandbox:
    """A `Sandbox` on this machine."""

    def __init__(self, host: EngineHost[Job, Outcome], limits: SandboxLimits) -> None:
        self.limits = limits
        self._host = host

    async def run(self, script: Script) -> Outcome:
        job = Job(script)
        try:
            return await self._host.run(job)
        finally:
            job.cancelled.set()


class _NotTried(Exception):
    """Whether a sandbox can be made here did not come out. The message is a clause."""


def missing() -> str | None:
    """What keeps scripts from being run here; None where one was. An answer holds as long as this process; what comes
    of a machine short of memory, processes or time is none, and the next call tries again."""
    try:
        return _found_out(_program())
    except _NotTried as error:
        log.warning("no_code_sandbox", reason=str(error))
        return f"A sandbox could not be tried out just now ({error}). The next request tries again."


@cache
def _found_out(program: str | None) -> str | None:
    """Takes a tenth of a second. Raises _NotTried, which is not kept."""
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        return f"The code sandbox runs on Linux on {' and '.join(ARCHITECTURES)} only."
    if program is None:
        return _INSTALL
    if not any(Path("/proc/self/task").glob("*/children")):
        return "The kernel does not tell a process's children (CONFIG_PROC_CHILDREN), so that memory cannot be bounded."
    try:
        outcome = run_script(Room(program, interpreter_binds()), Script("print(6 * 7)"), SandboxLimits(), Event())
    except OSError as error:
        raise _NotTried(error.strerror or type(error).__name__) from error
    except BadAnswer as error:
        log.warning("no_code_sandbox", reason=str(error))
        return _ALLOW
    if outcome.stopped:
        raise _NotTried(f"it ran out of {outcome.stopped}")
    if outcome.output != "42\n":
        log.warning("no_code_sandbox", reason=outcome.output)
        return _ALLOW
    return None


def _program() -> str | None:
    return shutil.which("bwrap")
