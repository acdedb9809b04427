"""Every way to memory that a script may try, against the bound, as root and as an ordinary user.

The processes of each attempt share a control group of their own where one can be made (as root): its peak is the
kernel's own account, of shared memory, buffers and tables, too.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from models.sandbox.bubblewrap import missing
from models.sandbox.interpreter import interpreter_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import BadAnswer, SandboxLimits, Script, ScriptOutcome
from tests.conftest import each_case
from tests.unit.models.sandbox.conftest import Caller
from tests.unit.models.sandbox.test_bubblewrap import PATIENT, bubblewrap

MB = 1 << 20
LIMITS = SandboxLimits(seconds=60, memory=256 * MB, disk=16 * MB)
BESIDE = 300 * MB
"""Memory that the group holds beside the script's own: the process that calls the sandbox, the pages of files that it
reads, the pipes of one user, and what is taken while processes are being ended, which takes longer on busy processors.
Without a bound, the scripts would take 640 MB and more."""

ATTEMPT = """
import json, shutil, sys
from threading import Event
from models.sandbox.interpreter import interpreter_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import SandboxLimits, Script
limits = SandboxLimits(**json.loads(sys.argv[2]))
outcome = run_script(SandboxSetup(shutil.which("bwrap"), interpreter_binds()), Script(sys.argv[1]), limits, Event())
print(json.dumps([outcome.output, outcome.exit_code, outcome.stopped]))
"""
"""Each attempt is a process, so it imports no more than it needs."""

HELPERS = """
import ctypes, fcntl, mmap, os, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
def each(count, take):
    for number in range(count):
        if os.fork() == 0:
            take(number)
            time.sleep(1000)
def storm():
    libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_long]
    sleep, stacks = ctypes.cast(libc.usleep, ctypes.c_void_p), ctypes.create_string_buffer(64 << 14)
    tops = [(ctypes.addressof(stacks) + (number << 14)) & ~15 for number in range(1, 65)]
    number = living = 0
    while True:
        while living < 3 and libc.clone(sleep, tops[number % 64], 0x100 | 17, 400) > 0:  # CLONE_VM | SIGCHLD
            number, living = number + 1, living + 1
        if living:
            os.wait()
            living -= 1
def errno_of(call):
    try: call()
    except OSError as error: return error.errno
"""

COUNTED = {
    "memory of many processes": "each(8, lambda _: held.append(bytearray(b'x') * (80 << 20)))",
    # Piece by piece, here and below: a busy machine looks late.
    "memory of processes whose first thread has ended": """
def take(_):
    def hold():
        for _ in range(16):
            held.append(bytearray(b'x') * (5 << 20))
            time.sleep(0.1)
        time.sleep(1000)
    threading.Thread(target=hold).start()
    libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
each(8, take)
""",
    "memory of processes that have always just been born": """
def take(_):
    held.append(bytearray(b'x') * (80 << 20))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if os.fork(): os._exit(0)
each(8, take)
""",
    "memory of processes beside others that come and go": """
def take(_):
    for _ in range(16):
        held.append(bytearray(b'x') * (5 << 20))
        time.sleep(0.1)
    time.sleep(1000)
each(4, lambda _: storm())
each(8, take)
""",
    "buffers of sockets": """
def take(_):
    while not errno_of(lambda: held.append(socket.socketpair())):
        for one in held[-1]:
            one.setblocking(False)
            while not errno_of(lambda: one.send(bytes(60000))): pass
each(24, take)
""",
    "parts of one process's memory": """
size = 200 << 20
start = libc.mmap(None, size, mmap.PROT_READ, 0x22, -1, 0)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for place in range(0, size, 8192): libc.mprotect(start + place, 4096, 0)
""",
}
"""What ends a script."""

REFUSED = {
    "shared memory without a file": ("mmap.mmap(-1, 1 << 20)", "PermissionError 1"),
    "a shared map of zeros": ("open('/dev/zero', 'r+b')", "FileNotFoundError 2"),
    "shared memory of the newer kind": ("raw(0x20 | 0x03)", "PermissionError 1"),
    "huge pages": ("raw(0x20 | 0x02 | 0x40000)", "PermissionError 1"),
}
"""What a script cannot have, and what it is told."""


@pytest.fixture
def group() -> Iterator[Path | None]:
    """A control group that tells the most memory that its processes have held; None where none can be made."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    [own] = [Path(f"/sys/fs/cgroup/memory{path}") for _, names, path in lines if "memory" in names.split(",")] or [
        Path(f"/sys/fs/cgroup{path}") for _, names, path in lines if not names
    ]
    made = own / f"openfaze-test-{os.getpid()}"
    try:
        made.mkdir()
    except OSError:
        yield None
        return
    yield made if peak_file(made) else None
    made.rmdir()


def peak_file(group: Path) -> Path | None:
    names = ("memory.max_usage_in_bytes", "memory.peak")
    return next((group / name for name in names if (group / name).exists()), None)


def attempt(caller: Caller, group: Path | None, code: str, limits: SandboxLimits = LIMITS) -> ScriptOutcome:
    """Fails where the script's processes have held more than they may."""
    given = {name: getattr(limits, name) for name in ("seconds", "memory", "disk")}
    done = caller.run(ATTEMPT, f"{HELPERS}\nheld = []\n{code}", json.dumps(given), group=group)
    assert done.returncode == 0, done.stderr
    output, exit_code, stopped = json.loads(done.stdout)
    if group is not None and (peak := peak_file(group)):
        held = int(peak.read_text())
        assert held < limits.memory + limits.disk + BESIDE, f"{held >> 20} MB"
    return ScriptOutcome(output, exit_code, stopped)


@pytest.mark.deep
@each_case("way", list(COUNTED))
def test_what_a_script_takes_counts_however_it_is_taken(caller: Caller, group: Path | None, way: str) -> None:
    outcome = attempt(caller, group, f"{COUNTED[way]}\ntime.sleep(1000)")
    assert outcome.exit_code == 137, outcome
    assert outcome.stopped == "memory" or (outcome.stopped == "starts" and "come and go" in way), outcome


@pytest.mark.deep
def test_processes_that_come_and_go_too_quickly_to_be_counted_end_the_script(caller: Caller) -> None:
    for _ in range(3):  # on busy processors, they may come and go slowly enough to be counted
        outcome = attempt(caller, None, "print('on', flush=True)\neach(6, lambda _: storm())\ntime.sleep(1000)")
        assert (outcome.output, outcome.exit_code) == ("on\n", 137)
        if outcome.stopped != "time":
            break
    assert outcome.stopped in ("starts", "memory")  # what they share counts for each: on few cores that is more


def test_memory_that_would_count_for_nobody_is_refused(caller: Caller) -> None:
    code = (
        "def raw(flags):\n"
        "    if libc.mmap(None, 2 << 20, 3, flags, -1, 0) == ctypes.c_void_p(-1).value:\n"
        "        raise OSError(ctypes.get_errno(), '')\n"
        f"for statement in {[statement for statement, _ in REFUSED.values()]}:\n"
        "    try: print('had', eval(statement))\n"
        "    except OSError as error: print(type(error).__name__, error.errno)"
    )
    expected = "".join(f"{error}\n" for _, error in REFUSED.values())
    assert attempt(caller, None, code) == ScriptOutcome(expected, 0)


def test_nothing_runs_whose_memory_cannot_be_seen(room: SandboxSetup, tmp_path: Path) -> None:
    """Bubblewrap is replaced by a program that ends without ever having had a process below it."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    with pytest.raises(BadAnswer, match="their memory cannot be limited"):
        run_script(replace(room, bubblewrap=str(program)), Script("print(1)"), PATIENT, Event())


@pytest.fixture(scope="module")
def room() -> SandboxSetup:
    if remedy := missing():
        pytest.skip(remedy)
    return SandboxSetup(bubblewrap(), interpreter_binds())
