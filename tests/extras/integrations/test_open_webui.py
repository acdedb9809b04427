"""Open WebUI, from its package, in front of a server: by its own API, and by its page in a browser.

`make extras` installs it. It is started by the commands that docs/integrations.md shows.
PICTURES=write .venv/bin/pytest tests/extras/integrations/test_open_webui.py    writes its picture into docs/images
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import needs_browser
from tests.e2e.test_docs import ADDRESS
from tests.kit.clients.playground import WAIT_MS
from tests.kit.project.fences import ROOT, fences
from tests.kit.servers.server import START_LIMIT_S, Server, held_port

PROGRAM = ROOT / ".venv-open-webui" / "bin" / "open-webui"
pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="needs Open WebUI, which `make extras` installs for Python 3.11 and 3.12"
)
[COMMANDS] = [fence.code for fence in fences(ROOT / "docs" / "integrations.md") if fence.language == "sh"]
PORT = "--port 8080"
ALONE = {
    "WEBUI_AUTH": "False",
    "ENABLE_OLLAMA_API": "False",
    "OFFLINE_MODE": "True",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_VERSION_UPDATE_CHECK": "False",
}
"""Settings that have it ask nobody: neither who the user is, nor other servers."""
QUESTION = "What is the total on this receipt?"
NOTE = """Minutes of the harbour committee, 12 March 2026.
The committee met at the old customs house. Present were Ada Berg, Jonas Vik and Lena Holm.
The new crane costs 48,200 euros and will be delivered on 3 May 2026 by Nordkran AS.
The lighthouse will be painted red in summer. The budget for paint is 1,750 euros.
"""


@pytest.fixture(scope="module")
def open_webui(embedded_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Open WebUI whose only models are those of the server."""
    folder = tmp_path_factory.mktemp("open_webui")
    with held_port() as port, (folder / "log").open("wb") as log:
        code = COMMANDS.replace(ADDRESS, embedded_server.base_url).replace(PORT, f"--port {port}")
        path = os.pathsep.join((str(PROGRAM.parent), os.environ["PATH"]))
        env = {**ALONE, "PATH": path, "HOME": str(folder), "DATA_DIR": str(folder)}
        process = subprocess.Popen(
            ["bash", "-c", code], cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for_health(address, process, folder / "log")
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for_health(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/health", trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(f"Open WebUI did not come up:\n{log.read_text()}")


@pytest.fixture(scope="module")
def user(open_webui: str) -> Iterator[httpx.Client]:
    """A client of Open WebUI's own API, signed in."""
    with httpx.Client(base_url=open_webui, timeout=120, trust_env=False) as client:
        signed_in = client.post("/api/v1/auths/signin", json={"email": "", "password": ""}).json()
        client.headers["authorization"] = f"Bearer {signed_in['token']}"
        # It knows the models once it has listed them.
        assert client.get("/api/models").status_code == 200
        yield client


def test_only_the_chat_model_is_on_offer(user: httpx.Client) -> None:
    assert [model["id"] for model in user.get("/api/models").json()["data"]] == ["interfaze-beta"]


def test_a_recording_is_transcribed(user: httpx.Client, shared: Path) -> None:
    recording = (shared / "samples" / "speech_jfk.flac").read_bytes()
    response = user.post("/api/v1/audio/transcriptions", files={"file": ("jfk.flac", recording, "audio/flac")})
    assert response.status_code == 200, response.text
    assert "ask not what your country can do for you" in response.json()["text"]


def test_a_file_is_embedded_and_answers_a_question(user: httpx.Client, embedded_server: Server) -> None:
    uploaded = user.post(
        "/api/v1/files/",
        params={"process_in_background": False},
        files={"file": ("note.txt", NOTE.encode(), "text/plain")},
    ).json()
    body = {
        "model": "interfaze-beta",
        "messages": [{"role": "user", "content": "When will the new crane be delivered?"}],
        "files": [{"type": "file", "id": uploaded["id"]}],
    }
    response = user.post("/api/chat/completions", json=body)
    assert response.status_code == 200, response.text
    assert {line["status"] for line in embedded_server.log if line.get("path") == "/v1/embeddings"} == {200}
    answer = response.json()["choices"][0]["message"]["content"]
    assert "3 May 2026" in answer
    assert not any(markup in answer for markup in ("<source", "</source", "### Task")), answer
    assert len(answer.splitlines()) <= 6, answer


def test_the_tasks_are_its_tools_over_mcp(user: httpx.Client, embedded_server: Server) -> None:
    connection = {"type": "mcp", "url": f"{embedded_server.base_url}/mcp", "path": "", "auth_type": "none"}
    response = user.post("/api/v1/configs/tool_servers/verify", json={**connection, "key": "", "config": {}})
    assert response.status_code == 200, response.text
    assert {"ocr", "speech_to_text", "translate", "extract"} <= {tool["name"] for tool in response.json()["specs"]}


@pytest.mark.parametrize(
    ("task", "key", "kind"),
    [("title", "title", str), ("follow_up", "follow_ups", list), ("tags", "tags", list), ("queries", "queries", list)],
)
def test_what_it_asks_for_in_the_background_has_its_form(
    user: httpx.Client, task: str, key: str, kind: type[Any]
) -> None:
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "9.00"}]
    body = {"model": "interfaze-beta", "messages": messages, "type": "retrieval"}
    response = user.post(f"/api/v1/tasks/{task}/completions", json=body)
    assert response.status_code == 200, response.text
    value = json.loads(response.json()["choices"][0]["message"]["content"])
    assert set(value) == {key}
    assert isinstance(value[key], kind)
    if kind is str:
        assert 0 < len(value[key].split()) <= 8


@needs_browser
def test_a_picture_is_asked_about_on_its_page(browser: Browser, open_webui: str, shared: Path) -> None:
    """The page sends a list of attachments as markup before the question, and 36 tools."""
    page = browser.new_page(viewport={"width": 900, "height": 800})
    page.set_default_timeout(WAIT_MS)
    page.goto(open_webui)
    page.get_by_role("button", name="Okay, Let's Go!").click()
    page.locator("input[type=file]").first.set_input_files(shared / "samples" / "receipt_000.jpg")
    expect(page.locator("form img[src]")).to_have_count(1, timeout=WAIT_MS)
    answer = ask(page, QUESTION, 1)
    assert answer.startswith("9.00"), answer
    title = page.get_by_role("heading", name="receipt", level=1)
    shown = (title, page.get_by_role("button", name="Show image preview"), page.locator(".chat-assistant"))
    for one in shown:
        expect(one).to_be_in_viewport(ratio=0.9, timeout=WAIT_MS)
    assert ask(page, "And who is the cashier?", 2).startswith("MANIS")
    page.close()


def ask(page: Page, question: str, turn: int) -> str:
    """Type a question, send it, and return the answer once it is complete."""
    page.locator("#chat-input").click()
    page.keyboard.type(question)
    page.keyboard.press("Enter")
    answers = page.locator(".chat-assistant")
    expect(answers).to_have_count(turn, timeout=WAIT_MS)
    # An answer that is complete can be rated.
    expect(page.get_by_role("button", name="Good Response")).to_have_count(turn, timeout=WAIT_MS)
    return answers.last.inner_text()
