"""The first process in the sandbox: it gives up its privileges, runs the script in a child, and reports.

This is a separate program that imports nothing of openfaze: `python -I -S inside.py FD`, where FD is a descriptor with
a marshalled request. Only the output of this program, which `script.py` reads, leaves the sandbox. Bubblewrap has
already made the namespaces and the read-only tree. It has left this process some capabilities, which the process needs
until `_drop_privileges`.
"""

import ctypes
import marshal
import os
import resource
import select
import signal
import site
import stat
import struct
import sys
import types
from typing import Any, NoReturn

WORK = "/tmp/work"  # noqa: S108 - the sandbox's own
NOBODY = 65534
MAX_FILES = 4096
"""A script has at most this many files and folders at a time, because each takes kernel memory that no other limit
counts."""
MAX_OPEN_FILES = 64
"""A process has at most this many open files, because sockets and pipes take kernel memory that is not counted."""
MAX_SIGNALS = 256
"""A script has at most this many waiting signals and timers together, because both take kernel memory, too."""
MAX_PICTURES = 16
MAX_DEPTH = 4
"""Pictures are searched for in folders of at most this many levels below `/tmp`."""
REAP_S = 0.1
"""Interval, in seconds, at which ended processes are removed if no parent waits for them, to make room for others."""

_MS_NOSUID, _MS_NODEV, _MS_BIND = 2, 4, 4096
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITIES_VERSION_3 = 0x20080522
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    descriptor = int(sys.argv[1])
    with os.fdopen(descriptor, "rb") as file:
        request: dict[str, Any] = marshal.load(file)  # noqa: S302 - the server wrote it
    _prepare_files(request)
    _drop_privileges(request)
    os.chdir(WORK)
    # The first process of a namespace receives a signal from inside the namespace only if it has a handler for it.
    # Python installs a handler for SIGINT, which is removed here.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _run(request, theirs)
    os.close(theirs)
    status, output = _watch(child, ours, request["output"])
    _report(status, output, _pictures(request["images"]))
    os._exit(0)  # nothing is left to clean up, and cleaning takes milliseconds


def _prepare_files(request: dict[str, Any]) -> None:
    """Mount the one file system of bounded size that holds everything that can be written."""
    options = f"size={request['disk']},nr_inodes={MAX_FILES},mode=0777".encode()
    _call(libc.mount, b"tmpfs", b"/tmp", b"tmpfs", ctypes.c_ulong(_MS_NOSUID | _MS_NODEV), options)
    os.umask(0)
    for path in (WORK, "/tmp/.shared"):  # noqa: S108
        os.mkdir(path, 0o777)
    os.umask(0o022)
    _call(libc.mount, b"/tmp/.shared", b"/dev/shm", None, ctypes.c_ulong(_MS_BIND), None)


def _drop_privileges(request: dict[str, Any]) -> None:
    """Give up every privilege permanently. Raises OSError if this fails; nothing is run in this case."""
    if request["privileged"]:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _call(libc.unshare, _CLONE_NEWUSER)
    header = struct.pack("<Ii", _CAPABILITIES_VERSION_3, 0)
    _call(libc.syscall, ctypes.c_long(_SYS_CAPSET[request["machine"]]), header, bytes(24))
    limits = {
        resource.RLIMIT_NPROC: request["processes"] + 1,
        resource.RLIMIT_NOFILE: MAX_OPEN_FILES,
        resource.RLIMIT_FSIZE: request["disk"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_SIGPENDING: MAX_SIGNALS,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    _call(libc.prctl, _PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Bubblewrap has set this already, but the change of user has undone it.
    _call(libc.prctl, _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _call(libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program: bytes = request["filter"]
    code = ctypes.create_string_buffer(program, len(program))
    # This is the struct sock_fprog: the number of instructions, of eight bytes each, and their address.
    descriptor = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _call(libc.prctl, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, descriptor, 0, 0)


def _call(function: Any, *arguments: Any) -> None:
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function.__name__}: {os.strerror(ctypes.get_errno())}")


def _run(request: dict[str, Any], output: int) -> NoReturn:
    """Run the script as `__main__`, in the child."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, MAX_OPEN_FILES)
    os.setpgid(0, 0)  # a signal that the script sends to its process group must not reach bubblewrap
    os.nice(request["niceness"])
    seconds = max(1, round(request["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["script.py"]
    sys.path[0:0] = [WORK]
    sys.path.append("/packages")
    # Output is written line by line, so that all printed lines have come out when the script is stopped.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    site.setquit()
    sys.exit(_execute(request["code"]))


def _execute(code: str) -> int | str | None:
    """Run `code`, and return what to pass to `sys.exit`."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if "matplotlib" in code:
        import logging

        # On a slow machine, matplotlib would report in the middle of the script's output that it is looking for fonts.
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    import linecache  # imported in the child alone

    lines = code.splitlines(keepends=True)
    linecache.cache["script.py"] = len(code), None, lines, "script.py"
    try:
        exec(compile(code, "script.py", "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - what it is for
    except SystemExit as leaving:
        return leaving.code
    except BaseException as error:  # noqa: BLE001 - shown as Python shows it, without this file's part
        import traceback

        trace = error.__traceback__
        traceback.print_exception(error.with_traceback(trace and trace.tb_next))
        return 1
    return None


class _KeptOutput:
    """The beginning and the end of the script's output."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.left_out = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 4 * self._half:
            self._trim()

    def _trim(self) -> None:
        surplus = len(self._tail) - self._half
        if surplus > 0:
            del self._tail[:surplus]
            self.left_out += surplus

    def parts(self) -> tuple[bytes, int, bytes]:
        self._trim()
        return bytes(self._head), self.left_out, bytes(self._tail)


def _watch(child: int, output: int, limit: int) -> tuple[int, _KeptOutput]:
    """Wait until the child ends, or until the server ends the script or goes away. Leave none of the script's processes
    running. Return the child's status in the form of `waitpid`, and the kept output."""
    kept = _KeptOutput(limit)
    ended = os.pidfd_open(child)
    readers = [0, output, ended]
    status = None
    while status is None:
        ready, _, _ = select.select(readers, [], [], REAP_S)
        if output in ready and not _drain(output, kept):
            readers.remove(output)
        if 0 in ready:
            os.kill(-1, signal.SIGKILL)
            readers.remove(0)
        status = _reap(child)
    if _has_other_processes():
        os.kill(-1, signal.SIGKILL)
        while _has_other_processes(wait=True):
            pass
    while output in readers and _drain(output, kept):
        pass
    return status, kept


def _drain(output: int, kept: _KeptOutput) -> bool:
    """Read a part of the output. Return False at its end, which comes at the latest when the last process that could
    write is gone."""
    data = os.read(output, 1 << 16)
    kept.add(data)
    return bool(data)


def _reap(child: int) -> int | None:
    """Return the status of `child` if it has ended, else None. Reap the other processes that have ended."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return status
        if pid == 0:
            return None


def _has_other_processes(*, wait: bool = False) -> bool:
    """Return True if there are processes other than this one. Reap those that have ended or, with `wait`, wait for all
    of them."""
    try:
        while os.waitpid(-1, 0 if wait else os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _pictures(limit: int) -> list[tuple[str, bytes]]:
    """Return at most MAX_PICTURES of the PNG files in the folders to which the script could write, the oldest first, up
    to `limit` bytes in all. Links are not followed, and hidden folders are skipped."""
    paths = []
    for folder, folders, names in os.walk("/tmp"):  # noqa: S108
        hidden = folder.count("/") > MAX_DEPTH
        folders[:] = [] if hidden else [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(folder, name)
            information = os.lstat(path)
            if name.lower().endswith(".png") and stat.S_ISREG(information.st_mode):
                paths.append((information.st_mtime_ns, name, path, information.st_size))
    found = []
    for _, name, path, size in sorted(paths)[:MAX_PICTURES]:
        if size <= limit and os.access(path, os.R_OK):
            with open(path, "rb") as file:
                found.append((name, file.read()))
            limit -= size
    return found


def _report(status: int, kept: _KeptOutput, pictures: list[tuple[str, bytes]]) -> None:
    head, left_out, tail = kept.parts()
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    named = [(name.encode("utf-8", "replace"), data) for name, data in pictures]
    blocks = [head, tail, *(block for pair in named for block in pair)]
    with open(1, "wb") as out:
        out.write(b"openfaze" + struct.pack("<iQI", code, left_out, len(blocks)))
        for block in blocks:
            out.write(struct.pack("<I", len(block)) + block)


if __name__ == "__main__":
    main()
