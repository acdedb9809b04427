"""Python programs that start at once, each in a process of its own.

Each process is forked off an interpreter that has imported the program's modules, once for all tests of a process.

stem("import openai").run("print(openai.__version__)").stdout
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any


class Forked:
    """Subset of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            with self._ended:
                self.returncode = int(self._ended.recv(16))
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Stem:
    """Interpreter that has run `imports`, and lives as long as this process."""

    def __init__(self, imports: str, python: str) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [python, "-c", Path(__file__).read_text(), str(number), imports]
            self._process = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL)
        atexit.register(self._end)

    def start(
        self,
        program: str,
        *arguments: str,
        stdin: IO[bytes] | int,
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | int,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Forked:
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        folder, variables = str((cwd or Path()).absolute()), dict(env or os.environ)
        told = {"program": program, "arguments": arguments, "cwd": folder, "env": variables}
        with theirs, tempfile.TemporaryFile() as file:
            file.write(json.dumps(told).encode())
            file.flush()
            files = [theirs, file, *(one if isinstance(one, int) else one.fileno() for one in (stdin, stdout, stderr))]
            numbers = [one if isinstance(one, int) else one.fileno() for one in files]
            socket.send_fds(self._ours, [b"."], numbers)
        if not (pid := ours.recv(16)):
            raise RuntimeError(f"nothing can be forked: {self._process.args!r:.80} has ended")
        return Forked(int(pid), ours)

    def run(
        self,
        program: str,
        *arguments: str,
        stdin: str | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 240,
    ) -> "subprocess.CompletedProcess[str]":
        with tempfile.TemporaryFile() as read, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            read.write((stdin or "").encode())
            read.seek(0)
            process = self.start(program, *arguments, stdin=read, stdout=out, stderr=err, cwd=cwd, env=env)
            try:
                status = process.wait(timeout)
            finally:
                process.kill()
                process.wait(60)  # a program that was too slow leaves no open socket for a later test to complain about
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read().decode(), err.read().decode())

    def _end(self) -> None:
        self._ours.close()
        self._process.wait(10)


EXECUTABLE = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as runner:
    runner.connect({address!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(runner, [told], [0, 1, 2])
    sys.exit(int(runner.recv(16)))
"""


@contextlib.contextmanager
def executable(file: Path, imports: str, program: str) -> Iterator[None]:
    """Make `file` a command that runs `program`, forked off `stem(imports)`, for shells that tests call."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address := f"{file}.socket")
        listener.listen()

        def run(caller: socket.socket) -> None:
            with caller:
                told, files, _, _ = socket.recv_fds(caller, 1 << 20, 3)
                arguments, folder, variables = json.loads(told)
                own = dict(zip(("stdin", "stdout", "stderr"), files, strict=True))
                process = stem(imports).start(program, *arguments, **own, cwd=Path(folder), env=variables)
                for number in files:
                    os.close(number)
                caller.send(str(process.wait()).encode())

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener is closed at the end
                while True:
                    threading.Thread(target=run, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        file.write_text(EXECUTABLE.format(python=sys.executable, address=address))
        file.chmod(0o755)
        yield
        listener.shutdown(socket.SHUT_RDWR)


@functools.cache
def stem(imports: str, python: Path = Path(sys.executable)) -> Stem:
    return Stem(imports, str(python))


def _serve(control: socket.socket) -> dict[str, Any]:
    """Fork a process for each request, and return the request in that process.

    Another process waits for its end. The process that forks never returns.
    """
    while True:
        _, files, _, _ = socket.recv_fds(control, 1, 5)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not files:
            os._exit(0)
        if not os.fork():
            break
        for file in files:
            os.close(file)
    control.close()
    ended = socket.socket(fileno=files[0])
    if pid := os.fork():
        for file in files[1:]:
            os.close(file)
        ended.send(str(pid).encode())
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):  # the caller has left
            ended.send(str(status).encode())
        os._exit(0)
    ended.close()
    for number, file in enumerate(files[2:]):
        os.dup2(file, number)
        os.close(file)
    with open(files[1], "rb") as told:
        told.seek(0)
        asked: dict[str, Any] = json.load(told)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[1:] = asked["arguments"]
    return asked


if __name__ == "__main__":
    exec(sys.argv[2], {})
    gc.collect()
    gc.freeze()
    _asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    _main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(_asked["program"], "<string>", "exec"), vars(_main))
