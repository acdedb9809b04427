"""Real Redis in a process of its own, which a test can kill and start again."""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

from app.state import redis_counters, redis_entries
from tests.kit.servers.server import held_port

LIMIT_S = 60.0
"""Longest wait for an event that normally happens at once, in seconds, however busy the machine is."""


class RedisServer:
    def __init__(self, folder: Path, port: int, options: Sequence[str]) -> None:
        self._folder = folder
        self._options = options
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", str(self._folder))
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self._port), *options, *self._options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + LIMIT_S
        with redis.Redis(port=self._port) as client:
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    return
                assert time.monotonic() < deadline, "redis-server did not come up"
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server as a failing machine would: nobody is informed, and nothing is kept."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(LIMIT_S)
            self._process = None


@contextlib.contextmanager
def serving_redis(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Run a Redis server with `options` of its command line. Its clients in this process wait for it patiently: a
    killed server refuses at once, no server is slow."""
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server: `apt-get install redis-server`")
    with held_port() as port, pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_counters, "ANSWER_S", LIMIT_S)
        patch.setattr(redis_entries, "CONNECT_S", LIMIT_S)
        server = RedisServer(folder, port, options)
        server.start()
        try:
            yield server
        finally:
            server.kill()
