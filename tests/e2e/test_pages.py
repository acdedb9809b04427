"""Pages for people, in a real browser: they work with keys, without any other host, and under a strict policy."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from app.runnable_commands import SAID
from tests.conftest import each_case
from tests.e2e.conftest import KEY, needs_browser
from tests.e2e.full_model import client_of_app
from tests.kit.clients.playground import Playground, file_of, watched
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHAT = "#operations-chat-chat_completions_v1_chat_completions_post"


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with watched(browser, server.base_url) as page:
        yield page


@needs_browser
def test_the_playground_shows_the_body_as_it_came(page: Page, server: Server) -> None:
    playground = Playground(page, server.base_url)
    playground.open()
    with page.expect_response("**/v1/chat/completions") as response:
        playground.run("ocr", files=[file_of("sign.png", single_line("Platform nine").encoded())], key=KEY)
    assert "Platform nine" in playground.part("answer").inner_text()
    shown = playground.part("json").text_content() or ""
    assert json.loads(shown) == response.value.json()
    strings = r'"(?:[^"\\]|\\.)*"'
    assert re.findall(strings, shown) == re.findall(strings, response.value.text())


@pytest.mark.browser
@needs_browser
def test_the_api_can_be_read_and_tried_out_with_a_key(page: Page, server: Server) -> None:
    page.goto(f"{server.base_url}/docs")
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input").fill(KEY)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()
    page.locator(f"{CHAT} .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table tbody")
    answer.wait_for(timeout=60_000)
    assert answer.inner_text().startswith("200")
    assert SAID in answer.inner_text()


@each_case(
    "path",
    [
        "/docs/../errors.py",
        "/docs/__init__.py",
        "/docs/%2e%2e/x",
        "/docs/a/b",
        "/playground/../errors.py",
        "/playground/%2e%2e/main.py",
        "/playground/",
        "/playground/pdfjs/LICENSE",
    ],
)
def test_only_the_files_of_the_page_are_served(server: Server, path: str) -> None:
    assert httpx.get(server.base_url + path, trust_env=False).status_code in (401, 404)


def told_in(text: str, section: str) -> set[str]:
    """The names of a section's list, each of which has a sentence behind it."""
    lines = text.partition(f"## {section}\n\n")[2].partition("\n\n")[0].splitlines()
    told = [re.fullmatch(r"- `([^`]+)`: \S.*\w.*", line) for line in lines]
    assert all(told), lines
    return {line[1] for line in told if line}


def test_language_models_find_every_task_and_every_route(server: Server) -> None:
    answer = httpx.get(f"{server.base_url}/llms.txt", trust_env=False)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    text = answer.text
    assert text.startswith(f"# openfaze {version('openfaze')}\n\n> ")
    assert "{{" not in text
    described = httpx.get(f"{server.base_url}/openapi.json", trust_env=False).json()["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in described.items() for method in operations}
    assert told_in(text, "Endpoints") == routes | {"POST /mcp"}
    assert told_in(text, "Tasks") > {"ocr", "speech_to_text", "web_search"}
    for linked in re.findall(r"\]\((/[\w.]+)\)", text):
        assert httpx.get(f"{server.base_url}{linked}", trust_env=False).status_code == 200, linked


@each_case("path", ["/openapi.json", "/llms.txt", "/docs", "/docs/swagger-ui.css", "/playground/main.js"])
def test_what_a_browser_needs_needs_no_key(server: Server, path: str) -> None:
    assert httpx.get(server.base_url + path, trust_env=False).status_code == 200


def test_an_operator_can_leave_the_playground_away(tmp_path: Path) -> None:
    with client_of_app(tmp_path, playground="off", llm="off") as client:
        for path in ("/", "/playground/main.js"):
            answer = client.get(path, headers=HTML)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert client.get("/").json()["name"] == "openfaze"
        assert client.get("/docs").status_code == 200
