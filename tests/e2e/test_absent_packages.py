"""A server in an environment without the packages that hold weights."""

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from app.runnable_commands import PICTURE
from models.weights.files import WEIGHT_SETS
from tests.kit.servers.server import Server, held_port, wait_until_up

PULLED = ("smollm2-135m", "all-minilm-l6-v2")
"""Sets that the tests fetch, from a hub of their own."""
HF = "https://huggingface.co"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`openfaze` in an environment that has all packages of this one but those with weights."""
    if any(WEIGHT_SETS[name].missing(Path("nowhere")) for name in PULLED):
        pytest.skip("needs the packages with weights, for the hub")
    environment = tmp_path_factory.mktemp("absent") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    gone = {place.partition("/")[0] for one in WEIGHT_SETS.values() for file in one.files for place in file.packaged}
    [packages] = environment.glob("lib/python3*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.name.lower().partition("-")[0] not in gone:
            (packages / path.name).symlink_to(path)
    program = environment / "bin" / "openfaze"
    program.write_text(f"#!{environment}/bin/python\nfrom app.cli.main import main\n\nmain()\n")
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """Address of a hub on loopback with the files of PULLED, which it reads in this environment's packages."""
    files = {file.url.removeprefix(HF): file for name in PULLED for file in WEIGHT_SETS[name].files}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = files[self.path]
            self.send_response(200)
            self.send_header("content-length", str(file.size))
            self.end_headers()
            for piece in file.pieces(Path("nowhere")):
                self.wfile.write(piece.read_bytes())

        def log_message(self, *_: object) -> None:
            """Keeps the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def serving_without(program: Path, folder: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of `openfaze serve` of that program, run in `folder`."""
    with held_port() as port, (folder / "log").open("ab") as log:
        env = environment | {"OPENFAZE_PORT": str(port)}
        process = subprocess.Popen([program, "serve"], cwd=folder, env=env, stdout=log, stderr=log)
        server = Server(f"http://127.0.0.1:{port}", process, folder / "log")
        try:
            wait_until_up(server)
            with httpx.Client(base_url=server.base_url, timeout=120, trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait(60)


def chat(*messages: object) -> tuple[str, dict[str, object]]:
    return "/v1/chat/completions", {"model": "interfaze-beta", "messages": messages, "max_tokens": 8}


PICTURE_PART = {"type": "image_url", "image_url": {"url": PICTURE}}
HELLO = {"role": "user", "content": "Hello!"}
ASKED = {
    "pp-ocrv6-small": chat(
        {"role": "system", "content": "<task>ocr</task>"}, {"role": "user", "content": [PICTURE_PART]}
    ),
    "smollm2-135m": chat(HELLO),
    "all-minilm-l6-v2": ("/v1/embeddings", {"model": "openfaze-embedding", "input": "Hello!"}),
}
"""Requests, by the set whose absence keeps them from an answer."""


def test_a_server_without_them_starts_and_names_the_command_that_mends_it(
    program: Path, hub: str, tmp_path: Path
) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    env |= {"OPENFAZE_WEIGHTS_DIR": str(tmp_path / "weights"), "OPENFAZE_FILES_DIR": str(tmp_path / "files")}
    env |= {"OPENFAZE_SEARCH_PROVIDER": "off", "HF_ENDPOINT": hub}
    # What a client reads names no folder of the server's; who operates it has the program at hand.
    env["PATH"] = f"{program.parent}:{env['PATH']}"
    commands = {}
    with serving_without(program, tmp_path, env) as client:
        for name, (path, body) in ASKED.items():
            answer = client.post(path, json=body)
            error = answer.json()["error"]
            assert (answer.status_code, error["type"], error["code"]) == (
                503,
                "service_unavailable",
                "engine_unavailable",
            )
            [commands[name]] = re.findall(rf"`(\S*openfaze pull {name})`", error["message"])
        guarded = {"role": "system", "content": "<guard>S1</guard>"}
        path, body = chat(guarded, HELLO)
        assert client.post(path, json=body).status_code == 503
        states = client.get("/ready").json()["capabilities"]
        assert {states[name]["state"] for name in ("ocr", "llm", "embedding", "text_guard")} == {"unavailable"}
        assert states["object_detection"]["state"] == "idle"
    for name in PULLED:
        subprocess.run(commands[name], shell=True, check=True, cwd=tmp_path, env=env)  # as printed
    with serving_without(program, tmp_path, env) as client:
        for name in PULLED:
            path, body = ASKED[name]
            assert client.post(path, json=body).status_code == 200
