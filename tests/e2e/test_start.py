"""What somebody sees who starts the server."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

from app.runnable_commands import SAID
from tests.kit.processes.forked import stem
from tests.kit.servers.server import IMPORTS, SERVE, START_LIMIT_S, Server, serving

KEY = "first-key"


def shown_by(server: Server, last: str) -> str:
    """Return what the server has shown, up to `last`: it answers a moment before it says so."""
    deadline = time.monotonic() + START_LIMIT_S
    while last not in (shown := server.log_file.read_text()):
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    return shown


def pasted(banner: str, **variables: str) -> str:
    """What the request that the banner shows prints in a shell."""
    [line] = [line for line in banner.splitlines() if line.startswith("curl ")]
    result = subprocess.run(
        ["bash", "-c", line], env={**os.environ, **variables}, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_banner_names_the_addresses_and_a_first_request_that_works(tmp_path: Path) -> None:
    with serving(tmp_path / "log", weights_dir=tmp_path / "w", api_keys=KEY) as server:
        shown = shown_by(server, "curl ")
        for part in (f"serves on {server.base_url}\n", f"{server.base_url}/docs", "smollm2-135m", str(tmp_path / "w")):
            assert part in shown
        assert KEY not in shown
        answer = json.loads(pasted(shown, OPENFAZE_API_KEY=KEY))
        assert json.loads(answer["choices"][0]["message"]["content"])["result"]["extracted_text"] == SAID


def test_a_program_gets_the_same_as_an_event(tmp_path: Path) -> None:
    with serving(tmp_path / "log", llm_base_url="http://me:secret@127.0.0.1:9/v1") as server:
        shown_by(server, '"serving"')
        [event] = [line for line in server.log if line["event"] == "serving"]
        assert (event["url"], event["llm"]) == (server.base_url, "openai-server at http://…@127.0.0.1:9/v1")


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = stem(IMPORTS).run(SERVE, "serve", "--port", port, cwd=tmp_path, timeout=60)
    assert result.returncode == 2
    assert result.stderr.startswith(f"OPENFAZE_PORT: port {port} of 127.0.0.1 is in use")
    assert len(result.stderr.splitlines()) == 1
