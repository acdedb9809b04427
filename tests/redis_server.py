"""A real Redis in a process of its own, which may be killed and started again."""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.server import free_port

START_LIMIT_S = 30.0


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", str(self._folder))
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self._port), *options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_LIMIT_S
        with redis.Redis(port=self._port) as client:
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    return
                assert time.monotonic() < deadline, "redis-server did not come up"
                time.sleep(0.02)

    def kill(self) -> None:
        """Like a machine that fails: nobody is told, and nothing is kept."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def serving_redis(folder: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server: `apt-get install redis-server`")
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
