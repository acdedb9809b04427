"""The share of the processors that the processes of a script have together."""

import json
import os
from pathlib import Path

from models.program_priority import NICENESS, shared_niceness
from tests.unit.models.sandbox.conftest import Caller
from tests.unit.models.test_program_priority import session_niceness

PROGRAM = """
import json, os, shutil, sys, threading, time
import psutil
from models.sandbox.interpreter import interpreter_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import SandboxLimits, Script
code = "import os, time\\nfor _ in range(2):\\n    os.fork()\\n    os.setpgid(0, 0)\\ntime.sleep(1000)"
cancelled = threading.Event()
arguments = SandboxSetup(shutil.which("bwrap"), interpreter_binds()), Script(code), SandboxLimits(60), cancelled
script = threading.Thread(target=run_script, args=arguments)
script.start()
def seen(pid):
    try:
        with open(f"/proc/{pid}/autogroup") as file:
            words = file.read().split()
    except FileNotFoundError:
        words = []
    session = int(words[-1]) if words else None
    return os.getsid(pid), session, os.getpriority(os.PRIO_PROCESS, pid)
expected, found = json.loads(sys.argv[1]), []
deadline = time.monotonic() + 60
while [list(one[1:]) for one in found] != expected and time.monotonic() < deadline:
    try: found = [seen(one.pid) for one in psutil.Process().children(recursive=True)]
    except ProcessLookupError: pass
cancelled.set()
script.join()
print(json.dumps([seen(os.getpid()), *found]))
"""


def test_all_processes_of_a_script_share_one_session_and_a_low_priority(caller: Caller) -> None:
    ours, plain = os.getpriority(os.PRIO_PROCESS, 0), session_niceness(os.getpid())
    lowered = NICENESS if Path("/proc/self/autogroup").exists() else None
    # The first is the one that counts the memory, which must not wait for the script.
    of_script = max(ours + NICENESS, shared_niceness(4))
    expected = [(plain, ours), *[(lowered, ours)] * 2, *[(lowered, of_script)] * 4]
    done = caller.run(PROGRAM, json.dumps(expected))
    assert done.returncode == 0, done.stderr
    [session, *own], [watch, *_], *sandbox = json.loads(done.stdout)
    assert own == [plain, ours]
    assert watch == session
    assert [tuple(one[1:]) for one in sandbox] == expected[1:]
    assert {one[0] for one in sandbox} == {sandbox[0][0]} != {session}
