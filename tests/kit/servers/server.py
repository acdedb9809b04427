"""Real server in a process of its own, for tests and measurements that use it from outside."""

import atexit
import contextlib
import functools
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.hosts.workplace import CardMemory, WorkplaceFactory
from tests.kit.processes.forked import Forked, stem

START_LIMIT_S = 180.0
SERVE = "from app.cli.main import main; main()"
PATIENT = f"""
from app.state.entries import Entries

Entries.__init__.__kwdefaults__["patience_s"] = 60.0
{SERVE}
"""
"""Program of a server that waits for its cache however busy the machine is."""
IMPORTS = """
import app.cli.main, app.cli.serving, app.main
from models.certificates import trusted

trusted()
"""
"""What each server would otherwise do at its start: import modules, and read certificates."""
REMEMBERING = f"""
from tests.kit.engines.remembering import remember

remember()
{SERVE}
"""
"""Program of a server that reads each picture, transcribes each recording and forecasts each series only once."""

CLUSTER = """
import os
import sys

os.environ["RAY_worker_maximum_startup_concurrency"] = "8"

import ray

from models.cluster.plan import ClusterConfig
from models.cluster.serve import RayCluster

RayCluster(ClusterConfig(object_store_mb=300))._init()
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
"""Program of a Ray cluster that prints its address, and ends with the process that reads it.

Above five times `RAY_worker_maximum_startup_concurrency` processes, a cluster complains on the standard output of its
users. All servers of a run have their processes in this cluster.
"""


@dataclass(frozen=True)
class Server:
    base_url: str
    process: "Forked | subprocess.Popen[bytes]"
    log_file: Path

    @property
    def log(self) -> list[dict[str, object]]:
        """Lines of JSON that have been written to their end."""
        lines = self.log_file.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(log_file: Path, program: str = SERVE, imports: str = IMPORTS, **settings: object) -> Iterator[Server]:
    """Run `openfaze serve` with `settings` as OPENFAZE_ variables, on a free port, until the block ends.

    `program` is the Python program that starts the server, in an interpreter that has run `imports`. Without imports
    the start takes two seconds longer. Uploads are kept next to the log.
    """
    # No test fetches weights or searches the web unless it requests that.
    own = {"search_provider": "off", "files_dir": log_file.parent / "files"}
    settings = {**own, **for_all_servers(), **settings}
    variables = {f"OPENFAZE_{name.upper()}": str(value) for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    if further_settings().get("cluster") == "ray":
        program = f"import tests.kit.servers.server; tests.kit.servers.server.keep_replicas_apart()\n{program}"
    with held_port() as port, log_file.open("wb") as log, Path(os.devnull).open("rb") as nothing:
        env = {**inherited, **variables, "OPENFAZE_PORT": str(port)}
        process = stem(imports).start(program, "serve", stdin=nothing, stdout=log, stderr=log, env=env)
        server = Server(f"http://127.0.0.1:{port}", process, log_file)
        try:
            wait_until_up(server)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)


def further_settings() -> dict[str, Any]:
    """Return TEST_SETTINGS (JSON), the settings of all servers.

    With '{"cluster": "ray"}', any test of the API has its engines on replicas.
    """
    settings: dict[str, Any] = json.loads(os.environ.get("TEST_SETTINGS", "{}"))
    return settings


def for_all_servers() -> dict[str, Any]:
    """Return the settings of all servers, with the address of a cluster if they request one.

    All tests of this process share one cluster, because its start takes seconds. Each server has replicas of its own,
    because settings differ between tests.
    """
    settings = further_settings()
    if settings.get("cluster") == "ray":
        settings["ray_address"] = settings.get("ray_address") or _cluster()
    return settings


@functools.cache
def keep_replicas_apart() -> None:
    """Make each server that starts later in this process use replicas of its own, which end with it, on whatever
    cluster."""
    from models.cluster.serve import RayCluster

    workplace, numbers = RayCluster.workplace, itertools.count()

    def named(cluster: RayCluster, name: str, card: CardMemory | None, *, on_a_card: bool) -> WorkplaceFactory:
        return workplace(cluster, f"{name}-{os.getpid()}-{next(numbers)}", card, on_a_card=on_a_card)

    RayCluster.workplace = named  # type: ignore[method-assign]
    RayCluster.is_own = property(lambda _: True)  # type: ignore[assignment, method-assign]


@functools.cache
def _cluster() -> str:
    command = [sys.executable, "-c", CLUSTER]
    cluster = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(cluster.communicate)
    assert cluster.stdout
    return cluster.stdout.readline().strip()


def wait_until_up(server: Server) -> None:
    """Wait until the server is ready. Raises RuntimeError, with the log, if the server ends, or takes too long."""
    deadline = time.monotonic() + START_LIMIT_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            if server.process.poll() is not None:
                break
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"{server.base_url}/ready").status_code == 200:
                    return
            time.sleep(0.02)
    raise RuntimeError(f"the server did not come up:\n{server.log_file.read_text()}")


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """Provide a port of 127.0.0.1 that the system assigns to nobody else until the block ends.

    A server that asks for the port by its number gets it. Until then, callers are refused.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def free_port() -> int:
    """Return a port that was free just now, for addresses without a server."""
    with held_port() as port:
        return port
