"""The main program of a decode process: `python -m tasks.inputs.decode.worker <socket> <bytes> <seconds>`.

The process opens files and answers calls, one at a time, until the server closes the socket. `bytes` is the limit
of its memory, and `seconds` that of a call's time by the clock. The module imports only what a message needs.
"""

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import threading
from pathlib import Path

from models.program_priority import NICENESS
from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_program, is_lack_of_memory, place_of, stack_of
from tasks.inputs.decode.channel import (
    Call,
    Channel,
    Closable,
    Close,
    Failed,
    Open,
    Raised,
    Reply,
    Request,
    Returned,
    Within,
)
from tasks.inputs.decode.within import set_reporter

GRACE_S = 2.0
"""The process ends itself this many seconds after a call's time limit. This happens only if the server is killed while
the call holds the GIL."""


def main() -> None:
    descriptor, memory, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    # A terminal's Ctrl-C and a service manager's SIGTERM reach every process of the server, but are meant for the
    # server alone. Its last requests may still need this process.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    _limit_memory(memory)
    _prefer_for_oom_kill()
    with socket.socket(fileno=descriptor) as end:
        threading.Thread(target=_end_with_server, args=(end,), daemon=True).start()
        try:
            serve(Channel(end), seconds)
        except (EOFError, OSError):
            os._exit(0)  # skips the libraries' own cleanup, which nobody needs


def _end_with_server(end: socket.socket) -> None:
    """End the process when the other end is closed, even during a call, unless the call holds the GIL."""
    hangup = select.poll()
    hangup.register(end, 0)
    hangup.poll()
    os._exit(0)


def serve(channel: Channel, seconds: float) -> None:
    """Answer requests until the other end is closed, which raises EOFError or OSError."""
    opened: dict[int, Closable] = {}
    set_reporter(lambda seconds_of_part, error: channel.send(Within(seconds_of_part, error)))
    channel.send(Returned(os.getpid()))
    _answer_next(channel, opened, seconds, is_first=True)
    while True:
        _answer_next(channel, opened, seconds)


def _answer_next(channel: Channel, opened: dict[int, Closable], seconds: float, *, is_first: bool = False) -> None:
    try:
        request = channel.receive()
        if is_first:
            # Unpickling the first message imports the decoder, which takes a second of processor time. At the niceness
            # of decoding, this would take a minute on a busy machine, and a file of another key would wait for it.
            # The process stays in the server's session, in which its niceness counts.
            os.nice(NICENESS)
        # The signal has no handler, so the kernel ends the process even if native code never returns.
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_S)
        channel.send(_answer(request, opened))
    except (EOFError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - a request or a result that cannot be pickled
        channel.send(_failure(error))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(request: object, opened: dict[int, Closable]) -> Reply:
    assert isinstance(request, Request)
    try:
        match request:
            case Open():
                opened[request.session] = request.factory(*request.arguments, **request.named)
            case Call():
                call = getattr(opened[request.session], request.method)
                return Returned(call(*request.arguments, **request.named))
            case Close():
                opened.pop(request.session).close()
        return Returned(None)
    except InputError as error:
        return Raised(error)
    except Exception as error:  # noqa: BLE001 - decoders raise many types of exceptions
        return _failure(error)


def _failure(error: Exception) -> Failed:
    stack = stack_of(error) if is_fault_of_program(error) else None
    return Failed(type(error).__name__, place_of(error), stack, is_lack_of_memory(error))


def _limit_memory(limit: int) -> None:
    """Limit the process's private writable memory. Systems other than Linux may count less memory towards the
    limit, or refuse it."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _prefer_for_oom_kill() -> None:
    """Make this process the first to be killed if the machine or the container runs out of memory (Linux). Otherwise,
    the server would be chosen, which is usually larger, and all requests would fail instead of one file."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
