"""Pages for people, in a real browser: they work with keys, without any other host, and under a strict policy."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app.calling import SAID
from tasks.scrape.browser import find_browser
from tests.e2e.conftest import KEY
from tests.server import Server

BROWSER = find_browser()
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHAT = "#operations-chat-chat_completions_v1_chat_completions_post"
needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """Fails for whatever a page complains about, and for whatever it asks another host."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if _is_foreign(request.url, server) else None)
    yield page
    page.close()
    assert not complaints


def _is_foreign(url: str, server: Server) -> bool:
    return not url.startswith((server.base_url, "data:", "blob:"))


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


@needs_browser
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.deep), "dark"])
def test_the_front_page_follows_the_readers_colours_and_leads_to_the_api(
    page: Page, server: Server, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{server.base_url}/")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
    page.get_by_role("link", name="/docs").click()
    page.locator(CHAT).wait_for()


@needs_browser
def test_the_front_pages_first_request_works_as_it_is_pasted(page: Page, server: Server) -> None:
    page.goto(f"{server.base_url}/")
    line = page.locator("pre").first.inner_text()
    result = subprocess.run(
        ["bash", "-c", line], env={"OPENFAZE_API_KEY": KEY}, capture_output=True, text=True, timeout=120
    )
    [choice] = json.loads(result.stdout)["choices"]
    assert json.loads(choice["message"]["content"])["result"]["extracted_text"] == SAID


def test_the_front_pages_program_prints_an_answer_that_is_right(server: Server) -> None:
    text = httpx.get(server.base_url, headers=HTML, trust_env=False).text
    program = html.unescape(re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)[1]).replace("<your key>", KEY)
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert [one["value"] for one in json.loads(result.stdout)["result"]["predictions"]][:3] == [22, 24, 26]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_may_run_only_what_stands_in_it_and_comes_from_here(server: Server, path: str) -> None:
    answer = httpx.get(server.base_url + path, headers=HTML, trust_env=False)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    for forbidden in ("unsafe", "http:", "https:", "*"):
        assert forbidden not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": "application/json"}])
def test_programs_find_nothing_at_the_root(server: Server, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{server.base_url}/", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/docs/../errors.py", "/docs/__init__.py", "/docs/%2e%2e/x", "/docs/a/b"])
def test_only_the_files_of_the_page_are_served(server: Server, path: str) -> None:
    assert httpx.get(server.base_url + path, trust_env=False).status_code in (401, 404)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/swagger-ui.css"])
def test_what_a_browser_needs_for_the_api_needs_no_key(server: Server, path: str) -> None:
    assert httpx.get(server.base_url + path, trust_env=False).status_code == 200


@pytest.mark.parametrize("host", ["evil'$(id)", "<script>", "a b"])
def test_a_made_up_host_gets_into_no_line_for_the_shell(server: Server, host: str) -> None:
    answer = httpx.get(f"{server.base_url}/", headers={**HTML, "host": host}, trust_env=False)
    if answer.status_code == 200:
        assert host not in answer.text
        assert server.base_url in answer.text
    else:
        assert answer.status_code == 400
