"""Scripts that mean harm, and some that do not, in a real sandbox."""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer

import psutil
import pytest

from models.sandbox import running
from models.sandbox.bubblewrap import missing
from models.sandbox.interpreter import interpreter_binds, package_binds
from models.sandbox.running import SandboxSetup, run_script
from models.sandbox.script import InputFile, SandboxLimits, Script, ScriptOutcome
from tests.conftest import ROOT

MB = 1 << 20
PATIENT = SandboxLimits(seconds=120)
"""For scripts that end by themselves, or for another reason than their time, however busy the machine."""
SHORT = SandboxLimits(seconds=2)


@pytest.fixture(scope="module")
def room() -> SandboxSetup:
    if remedy := missing():
        pytest.skip(remedy)
    return SandboxSetup(bubblewrap(), interpreter_binds())


def bubblewrap() -> str:
    program = shutil.which("bwrap")
    assert program
    return program


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a busy machine takes to end a script."""
    monkeypatch.setattr(running, "_GRACE_S", 60.0)


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    ours = psutil.Process()
    descriptors, others = ours.num_fds(), set(ours.children(recursive=True))
    yield
    gc.collect()  # a process in a circle of references holds its pipes until then
    # A database that other tests started here may begin processes of its own.
    left = {one for one in ours.children(recursive=True) if one.name() != "postgres"}
    assert left <= others
    # Those of an earlier test may have been collected meanwhile, and another thread may just be reading a file.
    for _ in range(500):
        if ours.num_fds() <= descriptors:
            break
        time.sleep(0.01)
    assert ours.num_fds() <= descriptors, [os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.exists()]


def run(room: SandboxSetup, code: str, limits: SandboxLimits = PATIENT, *files: InputFile) -> ScriptOutcome:
    return run_script(room, Script(code, files), limits, Event())


def raised(room: SandboxSetup, statement: str) -> str:
    """The name of the exception and its errno that `statement` ends with, `nothing` where it does not."""
    code = (
        "import os, ctypes\n"
        f"try:\n    {statement}\n    print('nothing')\n"
        "except BaseException as error:\n    print(type(error).__name__, getattr(error, 'errno', ''))\n"
    )
    return run(room, code).output.strip()


def test_what_a_script_prints_comes_back_in_its_order(room: SandboxSetup) -> None:
    outcome = run(room, "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint('drei — 三')")
    assert outcome == ScriptOutcome("1\n2\ndrei — 三\n", 0)


def test_an_exception_is_shown_with_its_line_and_without_the_sandboxs_own(room: SandboxSetup) -> None:
    outcome = run(room, "x = 0\nprint(1 / x)\n")
    assert outcome.exit_code == 1
    assert outcome.output.splitlines() == [
        "Traceback (most recent call last):",
        '  File "script.py", line 2, in <module>',
        "    print(1 / x)",
        "          ~~^~~",
        "ZeroDivisionError: division by zero",
    ]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("raise SystemExit(3)", 3),
        ("import os; os._exit(7)", 7),
        ("exit('bye')", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("import ctypes; ctypes.string_at(0)", 139),
    ],
)
def test_however_it_ends_it_is_told_as_a_shell_would(room: SandboxSetup, code: str, exit_code: int) -> None:
    assert run(room, f"print('before', flush=True)\n{code}").exit_code == exit_code


def test_files_of_the_request_can_be_read_and_not_written(room: SandboxSetup) -> None:
    code = "import os\nprint(os.listdir('/input'), open('/input/a.csv').read())\nopen('/input/a.csv', 'w')"
    outcome = run(room, code, PATIENT, InputFile("a.csv", b"1,2"))
    assert outcome.output.startswith("['a.csv'] 1,2\n")
    assert "OSError: [Errno 30] Read-only file system: '/input/a.csv'" in outcome.output


def test_an_endless_loop_is_stopped_and_what_it_printed_kept(room: SandboxSetup) -> None:
    for seconds in (1, 8, 32):
        outcome = run(room, "print('on', flush=True)\nwhile True: pass", SandboxLimits(seconds=seconds))
        assert outcome.stopped == "time"
        if outcome.output:  # else the machine was too busy to come to the first line
            break
    assert outcome.output == "on\n"
    # By the clock (SIGKILL) or by the processor's time (SIGXCPU), whichever is up first.
    assert outcome.exit_code in (137, 152)


def test_one_whose_caller_goes_is_stopped_at_once(room: SandboxSetup) -> None:
    cancelled = Event()
    timer = Timer(0.3, cancelled.set)
    timer.start()
    outcome = run_script(room, Script("import time; time.sleep(1000)"), PATIENT, cancelled)
    timer.join()
    assert (outcome.exit_code, outcome.stopped) == (137, None)


@pytest.mark.deep  # a bomb of forks is tried in the whole server
def test_a_bomb_of_new_programs_is_stopped(room: SandboxSetup) -> None:
    code = (
        "import subprocess, sys\nwhile True:\n"
        "    try: subprocess.Popen([sys.executable, '-c', 'while 1: pass'])\n    except OSError: pass"
    )
    assert run(room, code, SHORT).stopped == "time"


def test_there_are_only_so_many_processes(room: SandboxSetup) -> None:
    code = (
        "import os, time\nmade = 0\ntry:\n    while made < 1000:\n"
        "        if os.fork() == 0: time.sleep(1000); os._exit(0)\n        made += 1\n"
        "except OSError as error: print(made, error.errno)"
    )
    assert run(room, code, replace(PATIENT, processes=8)).output == "7 11\n"


def test_processes_that_outlive_the_script_are_ended(room: SandboxSetup) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setpgid(0, 0)\n    if os.fork() == 0: time.sleep(1000)\n    os._exit(0)\n"
        "print('done')"
    )
    outcome = run(room, code)
    assert (outcome.output, outcome.exit_code, outcome.stopped) == ("done\n", 0, None)


def test_ten_gigabytes_are_a_memory_error(room: SandboxSetup) -> None:
    outcome = run(room, "bytearray(10 << 30)")
    assert outcome.output.endswith("MemoryError\n")
    assert outcome.exit_code == 1


def test_a_hundred_megabytes_of_output_are_cut_to_their_ends(room: SandboxSetup) -> None:
    code = "print('first')\nfor _ in range(100): print('x' * 1_000_000)\nprint('last')"
    outcome = run(room, code)
    assert outcome.exit_code == 0
    assert outcome.output.startswith("first\nxxx")
    assert outcome.output.endswith("xxx\nlast\n")
    assert "\n[… 99,934,575 bytes left out …]\n" in outcome.output
    assert len(outcome.output) < 70_000


def test_there_can_be_only_so_many_files(room: SandboxSetup) -> None:
    code = (
        "import os\nn = 0\ntry:\n    while n < 100_000:\n        os.mkdir(f'{n}')\n        n += 1\n"
        "except OSError as error: print(4000 < n < 4100, error.errno)"
    )
    assert run(room, code).output == "True 28\n"


def test_no_file_of_the_machines_can_be_seen(room: SandboxSetup, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    for path in (
        secret,
        Path(__file__),
        Path.home(),
        "/etc/passwd",
        "/etc/hostname",
        "/root",
        "/home",
        "/proc",
        "/sys",
        "/var",
    ):
        assert raised(room, f"os.stat({str(path)!r})") == "FileNotFoundError 2", path
    assert raised(room, f"os.symlink({str(secret)!r}, 'link'); open('link')") == "FileNotFoundError 2"
    assert raised(room, f"open('/tmp/../../../../..{secret}')") == "FileNotFoundError 2"


def test_no_variable_of_the_servers_is_there(room: SandboxSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_LLM_API_KEY", "hunter2")
    outcome = run(room, "import os; print(dict(os.environ))")
    assert "hunter2" not in outcome.output
    assert "OPENFAZE" not in outcome.output
    assert raised(room, "open('/proc/1/environ')") == "FileNotFoundError 2"


def test_it_is_nobody_and_stays_so(room: SandboxSetup) -> None:
    code = "import os; print(os.getresuid(), os.getresgid(), os.getgroups() in ([], [65534]))"
    assert run(room, code).output == "(65534, 65534, 65534) (65534, 65534, 65534) True\n"
    for statement in ("os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chroot('/tmp')"):
        assert raised(room, statement) == "PermissionError 1", statement


def test_its_parent_and_all_together_cannot_be_killed_from_inside(room: SandboxSetup) -> None:
    outcome = run(room, "import os\nfor number in range(1, 65): os.kill(1, number)\nprint('alive')")
    assert (outcome.output, outcome.exit_code) == ("alive\n", 0)
    assert raised(room, "os.kill(-1, 9)") == "ProcessLookupError 3"


def test_the_standard_input_is_empty_and_no_other_file_is_open(room: SandboxSetup) -> None:
    code = (
        "import os, sys\nprint(repr(sys.stdin.read()))\nopened = []\n"
        "for number in range(64):\n    try: os.fstat(number); opened.append(number)\n    except OSError: pass\n"
        "print(opened)"
    )
    assert run(room, code).output == "''\n[0, 1, 2]\n"


def test_limits_cannot_be_raised(room: SandboxSetup) -> None:
    for name in ("NPROC", "AS", "FSIZE", "NOFILE", "CPU", "NICE"):
        statement = f"import resource as r; r.setrlimit(r.RLIMIT_{name}, (1 << 40, 1 << 40))"
        assert raised(room, statement) in ("ValueError", "PermissionError 1"), name
    assert raised(room, "os.setpriority(os.PRIO_PROCESS, 0, -5)") == "PermissionError 13"
    assert raised(room, "import resource as r; r.prlimit(1, r.RLIMIT_AS, (0, 0))") == "PermissionError 1"


@pytest.mark.parametrize(
    "statement",
    ["os.setsid()", "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], start_new_session=True)"],
)
def test_a_script_makes_no_session_which_would_have_a_share_of_the_processors(
    room: SandboxSetup, statement: str
) -> None:
    assert raised(room, statement) == "PermissionError 1"


def test_pictures_that_it_saves_come_back_and_links_and_others_do_not(room: SandboxSetup) -> None:
    png = "b'\\x89PNG\\r\\n\\x1a\\n' + b'x'"
    code = (
        f"import os\nopen('a.png', 'wb').write({png})\nopen('/tmp/b.PNG', 'wb').write({png})\n"
        "open('no.png', 'wb').write(b'text')\nos.symlink('/input/c.png', 'c.png')\n"
        f"os.makedirs('d/e')\nopen('d/e/f.png', 'wb').write({png})\nos.mkdir('g.png')\n"
        f"open('closed.png', 'wb').write({png})\nos.chmod('closed.png', 0)"
    )
    outcome = run(room, code, PATIENT, InputFile("c.png", b"\x89PNG\r\n\x1a\nsecret"))
    assert (outcome.output, outcome.exit_code) == ("", 0)
    assert [picture.name for picture in outcome.pictures] == ["a.png", "b.PNG", "f.png"]
    assert outcome.pictures[0].png == b"\x89PNG\r\n\x1a\nx"


@pytest.mark.deep
def test_the_server_dying_ends_the_script(room: SandboxSetup, tmp_path: Path) -> None:
    """A process that runs a script is killed; the script writes nothing more and is gone."""
    program = (
        "from tests.unit.models.sandbox.test_bubblewrap import bubblewrap, run\n"
        "from models.sandbox.bubblewrap import SandboxSetup\n"
        "from models.sandbox.script import SandboxLimits\n"
        "run(SandboxSetup(bubblewrap()), 'import time\\nwhile True: time.sleep(1)', SandboxLimits(seconds=100))"
    )
    server = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    family = psutil.Process(server.pid)
    deadline = time.monotonic() + 60
    while len(inside := family.children(recursive=True)) < 3:
        assert time.monotonic() < deadline
    server.kill()
    server.wait()
    _, alive = psutil.wait_procs(inside, timeout=60)
    assert alive == []


@pytest.mark.timeout(600)
def test_numpy_pandas_and_matplotlib_can_be_imported_and_figures_come_back() -> None:
    if remedy := missing():
        pytest.skip(remedy)
    code = (
        "import numpy as np, pandas as pd, matplotlib.pyplot as plt\n"
        "print(pd.DataFrame({'a': np.arange(4)}).a.sum())\n"
        "plt.plot([1, 2]); plt.show()\nplt.plot([2, 1]); plt.savefig('mine.png')\nplt.figure(); plt.show()"
    )
    room = SandboxSetup(bubblewrap(), [*interpreter_binds(), *package_binds(("numpy", "pandas", "matplotlib"))])
    outcome = run(room, code, SandboxLimits(seconds=300))
    assert (outcome.output, outcome.exit_code) == ("6\n", 0)
    assert [picture.name for picture in outcome.pictures] == [
        "figure-1.png",
        "mine.png",
        "figure-2.png",
        "figure-3.png",
    ]


def test_it_may_write_in_its_own_folder_and_tmp_only(room: SandboxSetup) -> None:
    code = "open('a', 'w').write('x'); open('/tmp/b', 'w').write('x'); print(open('a').read())"
    assert run(room, code).output == "x\n"
    for path in ("/a", "/usr/a", "/python/a", "/dev/a", "/packages/a", "/etc/a", "/sandbox/inside.py"):
        assert raised(room, f"open({path!r}, 'w')") in ("OSError 30", "PermissionError 13"), path


def test_memory_of_all_its_processes_together_is_bounded(room: SandboxSetup) -> None:
    code = "import os, time\nfor _ in range(4): os.fork()\nx = bytearray(os.urandom(1) * (100 << 20))\ntime.sleep(1000)"
    outcome = run(room, code, replace(PATIENT, memory=400 * MB))
    assert (outcome.stopped, outcome.exit_code) == ("memory", 137)


def test_there_is_no_network(room: SandboxSetup) -> None:
    assert raised(room, "import socket; socket.create_connection(('127.0.0.1', 80))") == "PermissionError 1"
    assert raised(room, "import socket; socket.getaddrinfo('example.com', 80)").startswith("gaierror")
    assert raised(room, "import socket; socket.socket(socket.AF_UNIX)") == "PermissionError 1"


def test_it_sees_no_process_but_its_own(room: SandboxSetup) -> None:
    assert run(room, "import os; print(os.getpid(), os.getppid())").output == "2 1\n"
    assert raised(room, f"os.kill({os.getpid()}, 0)") == "ProcessLookupError 3"


def test_two_scripts_know_nothing_of_each_other(room: SandboxSetup) -> None:
    run(room, "open('/tmp/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x')")
    assert raised(room, "os.stat('/tmp/left')") == "FileNotFoundError 2"
    assert raised(room, "os.stat('/dev/shm/left')") == "FileNotFoundError 2"
