"""One run of a script, watched from outside: its time, its memory, and that nothing of it is left."""

import marshal
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from models.sandbox.answer import BadAnswer, most_bytes, read_answer
from models.sandbox.room import Room, is_privileged, machine, memory_file
from models.sandbox.script import Outcome, SandboxLimits, Script, Stop
from models.sandbox.seccomp import filter_program

_LOOK_S = 0.05
"""Between two looks at the memory."""
_GRACE_S = 3.0
"""For the first process to end the others and to report."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def run_script(room: Room, script: Script, limits: SandboxLimits, cancelled: Event) -> Outcome:
    """Blocks until all is over. The thread must live as long: bubblewrap is ended with the thread that started it.

    Raises BadAnswer: the sandbox itself broke, or the script broke its first process.
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
            env={},
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
                return read_answer(bytes(said), stopped)
            said += data
            continue
        if process.stdin.closed:
            if time.monotonic() > deadline + _GRACE_S:
                raise BadAnswer("it does not end")
        elif cancelled.is_set() or (stopped := _why_to_stop(process.pid, limits, deadline)):
            deadline = time.monotonic()
            process.stdin.close()
    raise BadAnswer(f"more than {most} bytes came out")


def _why_to_stop(pid: int, limits: SandboxLimits, deadline: float) -> Stop | None:
    if time.monotonic() > deadline:
        return "time"
    return "memory" if held_memory(pid) > limits.memory else None


def held_memory(pid: int) -> int:
    """Bytes that the process and its descendants hold for themselves. Pages that a fork has not yet copied count for
    each process: it is a bound, not a measure."""
    return sum(_PAGE * _own_pages(one) for one in _family(pid))


def _own_pages(pid: int) -> int:
    try:
        _, resident, shared, *_ = (_PROC / str(pid) / "statm").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0
    return int(resident) - int(shared)


def _family(pid: int) -> Iterator[int]:
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        try:
            threads = os.listdir(_PROC / str(one) / "task")
            for thread in threads:
                children = (_PROC / str(one) / "task" / thread / "children").read_text()
                waiting += map(int, children.split())
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The first process ends with its standard input, and all others with it; else it is ended with bubblewrap."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
