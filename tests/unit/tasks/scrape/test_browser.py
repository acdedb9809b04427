"""Chromium, for real, on pages that are served on loopback: what it shows, and that nothing gets past the proxy."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from models.base import EngineUnavailable
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import FetchPolicy
from tasks.scrape.browser import FLAGS, BrowserPolicy, BrowserRenderer, LateBrowser, find_browser
from tests.kit.internet.web import Names, Server, redirect, response, serving
from tests.kit.internet.web_pages import extract_page

PROGRAM = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="needs Playwright and a Chromium"),
]

SHELL = b'<html><head><title>App</title></head><body><div id="root"></div><script src="/app.js"></script></body></html>'


@asynccontextmanager
async def showing(script: str, **pages: Any) -> AsyncIterator[Server]:
    """A web server whose first page runs `script`."""
    served: dict[str, Any] = {
        "": response(SHELL, "Content-Type: text/html"),
        "app.js": response(script.encode(), "Content-Type: text/javascript"),
        **pages,
    }
    async with serving(**served) as server:
        yield server


@asynccontextmanager
async def a_browser(program: str = PROGRAM or "", seconds: float = 60.0) -> AsyncIterator[BrowserRenderer]:
    policy = BrowserPolicy(program, seconds=seconds, max_bytes=1_000_000)
    renderer = BrowserRenderer(policy, FetchPolicy(allow=("127.0.0.1/32",)), Names(good_test=["127.0.0.1"]))
    try:
        yield renderer
    finally:
        await renderer.close()


@pytest.fixture(scope="module")
async def renderer() -> AsyncIterator[BrowserRenderer]:
    """One for all tests that do it no harm: it takes longer to start than a page to show."""
    async with a_browser() as renderer:
        yield renderer


async def text(renderer: BrowserRenderer, url: str) -> str:
    rendered = await renderer.render(url)
    return extract_page(rendered.html, rendered.url, "utf-8").text


def shows(expression: str) -> str:
    """A script that shows what a promise comes to."""
    return (
        "(async () => { let said; try { said = await (" + expression + ") } catch (error) { said = 'failed' }"
        " document.getElementById('root').innerHTML = '<main><p>It said: ' + said + '</p></main>' })()"
    )


async def test_a_page_that_fetches_its_content_is_read(renderer: BrowserRenderer) -> None:
    script = shows("fetch('/data').then(answer => answer.text())")
    async with showing(script, data=response(b"the real content")) as server:
        assert await text(renderer, server.url()) == "It said: the real content"


async def test_what_style_sheets_hide_is_left_out(renderer: BrowserRenderer) -> None:
    script = """document.getElementById('root').innerHTML = '<main><p>seen</p><p class="x y">unseen</p></main>';
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.x.y { display: none }'); document.adoptedStyleSheets = [sheet]"""
    async with showing(script) as server:
        assert await text(renderer, server.url()) == "seen"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/",
        "/redirect",
        pytest.param("https://10.0.0.1/", marks=pytest.mark.deep),
        pytest.param("http://10.0.0.1/", marks=pytest.mark.deep),
        pytest.param("http://localhost:1/", marks=pytest.mark.deep),
        pytest.param("http://[::1]/", marks=pytest.mark.deep),
    ],
)
async def test_addresses_inside_are_out_of_reach(renderer: BrowserRenderer, target: str) -> None:
    script = shows(f"fetch('{target}', {{mode: 'no-cors'}}).then(answer => answer.type + answer.status)")
    async with showing(script, redirect=redirect("http://10.0.0.1/secret")) as server:
        # An opaque answer is the proxy's refusal: that of another origin cannot be read.
        assert await text(renderer, server.url()) in ("It said: failed", "It said: opaque0")


async def test_sockets_and_peer_connections_are_off(renderer: BrowserRenderer) -> None:
    reached: list[bytes] = []

    async def socket(head: bytes, _writer: asyncio.StreamWriter) -> None:
        reached.append(head)

    expression = """new Promise(done => { const socket = new WebSocket('ws://' + location.host + '/socket');
        socket.onopen = () => done('open');
        socket.onclose = () => done('closed'); socket.onerror = () => done('closed') })
        .then(said => said + ' ' + typeof RTCPeerConnection + ' ' + typeof WebTransport + ' ' + typeof Worker)"""
    async with showing(shows(expression), socket=socket) as server:
        said = await text(renderer, server.url())
    assert said.endswith("undefined undefined undefined")
    assert not reached


async def test_a_page_that_never_ends_is_given_up() -> None:
    async with a_browser(seconds=5.0) as renderer, showing("for (;;) {}") as server:
        with pytest.raises(InputError, match="took longer than 5 s") as caught:
            await renderer.render(server.url(), param="p")
    assert (caught.value.code, caught.value.param) == ("fetch_failed", "p")


async def test_a_page_that_grows_without_end_does_not_take_the_browser_along() -> None:
    bomb = "const kept = []; for (;;) kept.push(new Array(1e6).fill(Math.random()))"
    async with (
        a_browser(seconds=15.0) as renderer,
        showing(bomb, fine=response(b"<p>fine</p>", "Content-Type: text/html")) as server,
    ):
        with pytest.raises(InputError, match="in the browser|took longer"):
            await renderer.render(server.url())
        renderer._policy = replace(renderer._policy, seconds=60)
        assert await text(renderer, server.url("fine")) == "fine"


async def test_scripts_get_no_more_memory_than_the_bound() -> None:
    script = """
        const held = []
        const taken = () => {
            try { while (held.length < 400) held.push(new Uint8Array(1e7).fill(1)) }
            catch { return 'refused' }
            return held.length
        }
    """
    async with a_browser() as renderer, showing(script + shows("taken()")) as server:
        try:
            said = await text(renderer, server.url())
        except InputError as error:
            said = str(error)
    assert "refused" in said or "in the browser" in said


async def test_a_driver_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where a library is missing that it links to.
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", "/bin/false")
    async with a_browser() as renderer:
        with pytest.raises(EngineUnavailable, match="driver does not start: it needs libatomic1"):
            await renderer.render("http://127.0.0.1:9/")


def install_in_no_time(folder: Path) -> None:
    """Within one tick of the file system's clock: Python's finders believe that nothing has changed."""
    before = folder.stat()
    (folder / "playwright").mkdir()
    (folder / "playwright" / "__init__.py").touch()
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


async def test_a_browser_that_is_installed_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policies: list[str] = []

    def make(program: str) -> BrowserRenderer:
        policies.append(program)
        return BrowserRenderer(BrowserPolicy(program), FetchPolicy(), Names())

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "playwright", raising=False)
    browser = LateBrowser("auto", make)
    (tmp_path / "chromium").touch(0o755)
    assert await browser() is None
    install_in_no_time(tmp_path)
    found = await browser()
    assert found is not None
    assert await browser() is found
    assert policies == [str(tmp_path / "chromium")]
    await browser.close()


async def test_a_browser_that_runs_elsewhere_is_used(tmp_path: Path) -> None:
    async with showing(shows("fetch('/data').then(answer => answer.text())"), data=response(b"content")) as server:
        command = [
            str(PROGRAM),
            "--headless",
            "--no-sandbox",
            "--remote-debugging-port=0",
            f"--user-data-dir={tmp_path}",
        ]
        process = await asyncio.create_subprocess_exec(*command, *FLAGS, stderr=asyncio.subprocess.PIPE)
        try:
            assert process.stderr is not None
            while b"DevTools listening on" not in (line := await process.stderr.readline()):
                assert line, "Chromium did not start"
            address = line.decode().split()[-1]
            # Chromium itself refuses a name.
            for program in (address, f"http://localhost:{urlsplit(address).port}"):
                async with a_browser(program) as renderer:
                    assert await text(renderer, server.url()) == "It said: content"
        finally:
            process.kill()
            await process.wait()
