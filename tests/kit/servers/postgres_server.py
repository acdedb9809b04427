"""Real PostgreSQL in a process of its own, which tests give databases of their own."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from tests.kit.servers.server import held_port

LIMIT_S = 60.0
"""Longest wait for an event that normally happens at once, in seconds, however busy the machine is."""


class PostgresServer:
    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"state_{number}" for number in itertools.count())

    def create(self) -> str:
        """Make an empty database, and return its URL."""
        name = next(self._names)
        with contextlib.closing(self._connect()) as connection:
            connection.run(f"CREATE DATABASE {name}")
        return f"postgresql://openfaze@127.0.0.1:{self._port}/{name}"

    def start(self) -> None:
        options = (
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            f"unix_socket_directories={self._folder}",
        )
        command = [_find("postgres"), "-D", str(self._folder / "data"), "-p", str(self._port), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_as_somebody())
        deadline = time.monotonic() + LIMIT_S
        while True:
            with contextlib.suppress(pg8000.native.Error, OSError):
                self._connect().close()
                return
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server at once, with all its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(LIMIT_S)
            self._process = None

    def _connect(self) -> pg8000.native.Connection:
        return pg8000.native.Connection("openfaze", host="127.0.0.1", port=self._port, database="postgres")


@contextlib.contextmanager
def serving_postgres() -> Iterator[PostgresServer]:
    if not _find("initdb"):
        pytest.skip("needs PostgreSQL: `apt-get install postgresql`")
    with held_port() as port, tempfile.TemporaryDirectory(prefix="openfaze-postgres-") as name:
        folder = Path(name)
        user = _as_somebody().get("user")
        if user is not None:
            os.chown(folder, user, -1)
        make = [_find("initdb"), "-D", str(folder / "data"), "-U", "openfaze", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, **_as_somebody())
        server = PostgresServer(folder, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _find(program: str) -> str:
    """Return the path of a program of PostgreSQL, which Debian keeps out of PATH; empty if it is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])) or ""


def _as_somebody() -> Mapping[str, Any]:
    """Return the arguments of Popen for a user other than root, for whom PostgreSQL does not run."""
    if os.getuid():
        return {}
    return {"user": pwd.getpwnam("nobody").pw_uid, "cwd": "/", "env": {**os.environ, "LC_ALL": "C.UTF-8"}}
