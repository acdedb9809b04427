"""A real server in a process of its own, for tests and benches that look at it from outside."""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.forked import Forked, stem

START_LIMIT_S = 60.0
SERVE = "from app.cli.main import main; main()"
PATIENT = f"""
from app.state.entries import Entries

Entries.__init__.__kwdefaults__["patience_s"] = 60.0
{SERVE}
"""
"""A server that waits for its cache however busy the machine is."""
IMPORTS = "import app.cli.main, app.cli.serving, app.main"
REMEMBERING = f"""
from models.speech.whisper import Whisper
from models.vision.ppocr.reader import PpOcrReader

read, run, pages, sounds = PpOcrReader.read, Whisper.run, {{}}, {{}}

async def read_once(self, image, **options):
    key = image.shape, image.tobytes()
    if key not in pages:
        pages[key] = await read(self, image, **options)
    return pages[key]

def hear_once(self, batch):
    keys = [(window.samples.tobytes(), window.language, window.translate, window.prompt) for window in batch]
    for key, window in zip(keys, batch):
        if key not in sounds:
            [sounds[key]] = run(self, [window])
    return [sounds[key] for key in keys]

PpOcrReader.read, Whisper.run = read_once, hear_once
{SERVE}
"""
"""A program of `serving` that reads each picture and hears each recording once: for tests that send the same again and
again, and are of what comes before the engine or behind it."""


@dataclass(frozen=True)
class Server:
    base_url: str
    process: Forked
    log_file: Path

    @property
    def log(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(log_file: Path, program: str = SERVE, imports: str = IMPORTS, **settings: object) -> Iterator[Server]:
    """`openfaze serve` with `settings` as OPENFAZE_ variables, on a free port, until the block ends.

    `program` is the Python that starts it, in an interpreter that has run `imports`: where that is nothing it takes two
    seconds longer. What is uploaded to it lies beside the log. TEST_SETTINGS are further settings for all servers, in
    JSON: with '{"cluster": "ray"}' any test of the API has its engines on replicas.
    """
    # No test fetches weights or searches the web unless it says so.
    own = {"auto_pull": 0, "search_provider": "off", "files_dir": log_file.parent / "files"}
    settings = {**own, **json.loads(os.environ.get("TEST_SETTINGS", "{}")), **settings}
    variables = {f"OPENFAZE_{name.upper()}": str(value) for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    with held_port() as port, log_file.open("wb") as log, Path(os.devnull).open("rb") as nothing:
        env = {**inherited, **variables, "OPENFAZE_PORT": str(port)}
        process = stem(imports).start(program, "serve", stdin=nothing, stdout=log, stderr=log, env=env)
        server = Server(f"http://127.0.0.1:{port}", process, log_file)
        try:
            _wait_until_up(server)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    # One for all tries: certificates, which a client reads at its start, cost more than a try.
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
    """A port of 127.0.0.1 that the system gives nobody else until the block ends. Who asks for it by its number, as
    servers do, has it; until then a caller is refused."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def free_port() -> int:
    """One that was free just now: for addresses at which nobody is."""
    with held_port() as port:
        return port
