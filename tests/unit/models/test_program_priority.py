"""The share of the processors that programs beside the server have, and sessions of their own."""

import errno
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import program_priority
from models.program_priority import NICENESS, lower_session_priority, lower_threads, shared_niceness
from tests.conftest import ROOT

needs_autogroups = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel does not share its processors by sessions"
)


def session_niceness(pid: int) -> int | None:
    """None where the kernel does not share its processors by sessions, and in the session in which the system started,
    which belongs to no group (the file is there and empty). Each new session belongs to one."""
    file = Path(f"/proc/{pid}/autogroup")
    words = file.read_text().split() if file.exists() else []
    return int(words[-1]) if words else None


@pytest.fixture(params=[True, False], ids=["a session of its own", "this session"])
def program(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=request.param) as process:
        yield process
        process.kill()


@needs_autogroups
def test_a_session_of_its_own_is_lowered_and_never_the_callers(program: "subprocess.Popen[bytes]") -> None:
    ours = session_niceness(os.getpid())
    while not lower_session_priority(program.pid):
        pass
    is_own = os.getsid(program.pid) != os.getsid(0)
    assert (session_niceness(program.pid), session_niceness(os.getpid())) == (
        NICENESS if is_own else ours,
        ours,
    )


@pytest.mark.parametrize(
    ("number", "is_final"), [(errno.EAGAIN, False), (errno.EPERM, True), (errno.ESRCH, True), (errno.EACCES, True)]
)
def test_only_a_refusal_that_passes_asks_for_another_attempt(
    number: int, is_final: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def write(descriptor: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    any_file = os.open(tmp_path / "autogroup", os.O_WRONLY | os.O_CREAT)
    with monkeypatch.context() as patched:
        patched.setattr(program_priority.os, "getsid", lambda pid: pid)
        patched.setattr(program_priority.os, "open", lambda path, flags: any_file)
        patched.setattr(program_priority.os, "write", write)
        assert lower_session_priority(1) is is_final
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(any_file)


def test_a_process_that_has_ended_needs_no_other_attempt() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert lower_session_priority(process.pid) is True


WEIGHTS = {10: 110, 11: 87, 12: 70, 13: 56, 14: 45, 15: 36, 16: 29, 17: 23, 18: 18, 19: 15}
"""Linux's weights by niceness."""


def test_many_threads_together_get_as_much_as_one_as_far_as_niceness_goes() -> None:
    assert shared_niceness(1) == NICENESS
    for threads in range(1, 9):
        assert threads * WEIGHTS[shared_niceness(threads)] <= 1.1 * WEIGHTS[NICENESS]
    assert {shared_niceness(threads) for threads in range(9, 33)} == {19}


def test_no_thread_is_raised_and_those_that_have_ended_are_skipped() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process, subprocess.Popen(["true"]) as ended:
        ended.wait()
        for niceness, expected in ((15, 15), (12, 15), (17, 17)):
            lower_threads([ended.pid, process.pid], niceness)
            assert os.getpriority(os.PRIO_PROCESS, process.pid) == expected
        process.kill()


def test_only_programs_that_are_lowered_get_a_session_of_their_own() -> None:
    makes = re.compile(r"setsid\(|start_new_session=|new-session|\"setsid\"")
    sources = [path for folder in ("app", "tasks", "models") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in sources if makes.search(path.read_text())] == ["memory_watch.py"]
