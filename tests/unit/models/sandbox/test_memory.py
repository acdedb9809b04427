"""Ways to memory that a script may try, against the bound, as root and as an ordinary user."""

import json

from models.sandbox.script import ScriptOutcome
from tests.conftest import each_case
from tests.unit.models.sandbox.conftest import Caller

MB = 1 << 20
LIMITS = {"seconds": 60, "memory": 256 * MB, "disk": 16 * MB}

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
"""Each attempt is a process of its caller."""

HELPERS = """
import ctypes, mmap, os, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
held = []
def each(count, take):
    for number in range(count):
        if os.fork() == 0:
            take(number)
            time.sleep(1000)
"""

COUNTED = {
    "memory of many processes": "each(8, lambda _: held.append(bytearray(b'x') * (80 << 20)))",
    "memory of processes whose first thread has ended": """
def take(_):
    def hold():
        held.append(bytearray(b'x') * (80 << 20))
        time.sleep(1000)
    threading.Thread(target=hold).start()
    libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
each(8, take)
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


def attempt(caller: Caller, code: str) -> ScriptOutcome:
    done = caller.run(ATTEMPT, f"{HELPERS}\n{code}", json.dumps(LIMITS))
    assert done.returncode == 0, done.stderr
    return ScriptOutcome(*json.loads(done.stdout))


@each_case("way", list(COUNTED))
def test_memory_of_all_processes_counts(caller: Caller, way: str) -> None:
    outcome = attempt(caller, f"{COUNTED[way]}\ntime.sleep(1000)")
    assert (outcome.exit_code, outcome.stopped) == (137, "memory")


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
    assert attempt(caller, code) == ScriptOutcome(expected, 0)
