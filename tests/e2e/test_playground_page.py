"""The playground as a page: its key, its policy, its size, its looks, without a mouse, the code that it shows,
and what of its form is sent when."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import KEY, needs_browser
from tests.kit.clients.playground import Playground, file_of, found_by_axe, watched
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server

pytestmark = [pytest.mark.browser, needs_browser]
SIGN = file_of("sign's.png", single_line("Platform nine").encoded())


@pytest.fixture(scope="module")
def shared_page(browser: Browser, server: Server) -> Iterator[Page]:
    with watched(browser, server.base_url) as page:
        yield page


@pytest.fixture
def playground(shared_page: Page, server: Server) -> Playground:
    shared_page.unroute_all()
    shared_page.emulate_media(color_scheme="light")
    shared_page.set_viewport_size({"width": 1280, "height": 900})
    playground = Playground(shared_page, server.base_url)
    playground.open()
    shared_page.evaluate("sessionStorage.clear()")
    shared_page.reload()
    return playground


def test_a_key_is_asked_for_and_kept_in_the_tab_alone(playground: Playground) -> None:
    page = playground.page
    playground.start("ocr", files=[SIGN])
    playground.part("error").wait_for()
    assert "No API key was provided" in playground.part("error").inner_text()
    assert page.evaluate("document.activeElement.dataset.testid") == "key"
    page.keyboard.type("sécrèt–1")
    page.keyboard.press("Enter")
    page.get_by_text("No key has such characters.").wait_for()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    playground.done()
    assert not playground.part("error").text_content()
    expect(playground.part("answer")).to_contain_text("Platform nine")
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]
    assert page.evaluate("localStorage.length + document.cookie.length") == 0
    code = playground.part("code").text_content() or ""
    assert "$OPENFAZE_API_KEY" in code
    assert KEY not in code
    assert KEY not in page.url
    page.reload()
    assert playground.part("key").input_value() == KEY


def test_the_code_does_the_same(playground: Playground, tmp_path: Path) -> None:
    """As it is pasted, where the file lies; with a prompt that a shell would like to run."""
    (tmp_path / SIGN["name"]).write_bytes(SIGN["buffer"])
    prompt = "Read 'it' for $HOME, `id` and \\n $(id)."
    playground.run("ocr", prompt, files=[SIGN], key=KEY)
    [curl, python, javascript] = playground.part("code").locator("pre").all_text_contents()
    said = playground.body["choices"][0]["message"]["content"]
    assert json.loads(printed(tmp_path, "bash", "-c", curl))["choices"][0]["message"]["content"] == said
    assert printed(tmp_path, sys.executable, "-c", python).strip() == said
    body = playground.page.evaluate("text => text", curl).split("<<JSON\n")[1].removesuffix("\nJSON")
    assert json.dumps(prompt)[1:-1].replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`") in body
    if node := shutil.which("node"):
        (tmp_path / "ask.mjs").write_text(javascript)
        assert printed(tmp_path, node, "ask.mjs").strip() == said


def printed(folder: Path, *command: str) -> str:
    env = {"PATH": os.environ["PATH"], "OPENFAZE_API_KEY": KEY}
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_may_run_nothing_but_its_own_files(browser: Browser, server: Server) -> None:
    """Were markup to get in, the policy would stop it."""
    page = browser.new_page()
    page.goto(server.base_url)
    ran = page.evaluate(
        """async () => {
          const refused = new Promise(done => document.addEventListener('securitypolicyviolation', done, {once: true}));
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
          return [(await refused).effectiveDirective, window.ran];
        }"""
    )
    page.close()
    assert ran == ["script-src-elem", None]


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.deep), "dark"])
def test_axe_finds_nothing_to_mend(playground: Playground, scheme: str) -> None:
    """Names, roles, contrast, live regions, what can be scrolled and focused: before, with a result, with an error."""
    page = playground.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (background > 128) is (scheme == "light")
    page.get_by_text("More", exact=False).first.click()
    page.get_by_role("button", name="Add a field").click()
    assert found_by_axe(page) == []
    playground.run("ocr", files=[SIGN, file_of("b.png", single_line("Exit").encoded())], key=KEY)
    assert found_by_axe(page) == []
    playground.start("scraper")
    playground.part("error").wait_for()
    assert found_by_axe(page) == []


def test_everything_fits_a_telephone(playground: Playground) -> None:
    page = playground.page
    page.set_viewport_size({"width": 360, "height": 740})
    playground.run("ocr", files=[SIGN], key=KEY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("scrollY") > 300, "the results are in view"
    outside = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea')].filter(one => one.checkVisibility())
          .filter(one => { const box = one.getBoundingClientRect(); return box.right > 360.5 || box.left < -0.5; })
          .map(one => one.outerHTML)"""
    )
    assert outside == []


def tab_to(page: Page, name: str) -> None:
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.testid") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_it_can_be_used_without_a_mouse(playground: Playground) -> None:
    page = playground.page
    tab_to(page, "key")
    page.keyboard.type(KEY)
    tab_to(page, "task")
    page.keyboard.type("OCR")
    tab_to(page, "file")
    # The browser's own dialog, which Enter opens, is not of the page: at times Playwright misses that it opened.
    page.locator(":focus").set_input_files([SIGN])
    assert playground.part("task").input_value() == "ocr"
    page.keyboard.press("Control+Enter")
    playground.done()
    reached = set()
    page.get_by_role("link", name="Skip to the results").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
              const one = document.activeElement, style = getComputedStyle(one);
              const ringed = one.closest('.drop') ?? one;
              const ring = style.outlineStyle !== 'none' ? style : getComputedStyle(ringed);
              if (one === document.body) return ['end', true];
              const name = one.dataset.testid ?? one.className.baseVal ?? one.className;
              return [name, ring.outlineStyle !== 'none'];
            }"""
        )
        if place[0] == "end":
            break
        reached.add(place[0])
        assert place[1], f"{place[0]} shows that it has the focus"
    assert {"key", "task", "file", "prompt", "schema", "run", "overlay", "confidence"} <= reached
    assert any("word" in name for name in reached)
    assert "json" in reached
