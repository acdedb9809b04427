"""Renders pages in Chromium with Playwright. Each page has a browser of its own, which starts for it and ends with it.
All connections of the browser go through a proxy in this process."""

import asyncio
import contextlib
import importlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit, urlunsplit

import structlog

from models.base import EngineUnavailable, UpstreamDown
from models.python_process import clean_library_path
from models.queues import Slots
from tasks.errors import InputTooLarge
from tasks.inputs.fetch.fetcher import FetchPolicy
from tasks.inputs.fetch.network import Resolver, SystemResolver
from tasks.inputs.fetch.url_policy import FetchFailed
from tasks.scrape.browser_proxy import BrowserProxy, network_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""Names of programs in PATH that speak Chromium's protocol."""
REMEDY = (
    "It takes Playwright (`openfaze install browser`) and a Chromium, in PATH (`apt-get install chromium`) or named by "
    "OPENFAZE_BROWSER."
)
"""Advice in errors, for when `find_browser` finds nothing."""
_SETTLE_MS = 3000
"""Milliseconds for which a loaded page may keep its connections busy. After that, the page is read as far as it has
loaded."""
_JS_HEAP_MB = 512
PROCESS_MB = 1536
"""A process of the browser has at most this many megabytes of data. V8's heap takes up to 512 MB of them. The rest is
for buffers, the page's elements and the stacks of its threads."""
FLAGS = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--disable-breakpad",
    "--no-first-run",
    "--no-pings",
    "--mute-audio",
    # WebRTC would bypass any proxy and send datagrams to addresses that the page chooses.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Connections to loopback also go through the proxy, which refuses them.
    "--proxy-bypass-list=<-loopback>",
    # Only the proxy resolves names.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    f"--js-flags=--max-old-space-size={_JS_HEAP_MB}",
    "--renderer-process-limit=4",
    "--disable-dev-shm-usage",
)
_DEVTOOLS = ("http://", "https://", "ws://", "wss://")
_NO_ANSWER = "The browser that OPENFAZE_BROWSER names does not answer."
_NO_DRIVER = "Playwright's driver does not start: it needs libatomic1, which comes with Debian's chromium."
_NOWHERE = "http://127.0.0.1:9"
"""Proxy for connections outside a page's own context. Nothing listens there."""
_NOT_LOADED = frozenset({"image", "media", "font"})
_WITHOUT_WORKERS_AND_SOCKETS = """
for (const name of ['WebSocket', 'WebSocketStream', 'WebTransport', 'RTCPeerConnection', 'webkitRTCPeerConnection',
                    'Worker', 'SharedWorker'])
  Object.defineProperty(globalThis, name, {value: undefined, configurable: false});
"""
"""Script that removes the classes that could open connections or run scripts outside the page."""
_MARK_UNSEEN = """() => {
  for (const element of document.body?.querySelectorAll('*') ?? [])
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) element.setAttribute('hidden', '');
}"""
"""Script that marks the elements that style sheets hide. Only the browser knows which elements these are."""


@dataclass(frozen=True, slots=True)
class Rendered:
    html: bytes
    """The page's HTML in UTF-8."""
    url: str
    """Final address of the page, after redirects."""


class Renderer(Protocol):
    async def render(self, url: str, *, param: str | None = None) -> Rendered:
        """Return the page after its scripts have run. Raises InputError and ModelError."""


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrowserPolicy:
    program: str
    """Path of Chromium, or the address (`http://…`, `ws://…`) of a running one that was started with FLAGS and a
    DevTools port."""
    seconds: float = 20.0
    """Time limit for one page in seconds."""
    pages: int = 2
    """Number of pages rendered at the same time."""
    max_bytes: int = 20 * 1024 * 1024
    """Largest size in bytes of a page's final HTML."""


def find_browser(choice: str = "auto") -> str | None:
    """Return the path or address of a browser; None if there is no browser or no Playwright. `choice` is a path, the
    address of a running browser, `auto` or `off`."""
    if choice == "off":
        return None
    invalidate_caches()  # Playwright may have been installed since the server started
    if find_spec("playwright") is None:
        return None
    if choice.startswith(_DEVTOOLS):
        return choice
    if choice != "auto":
        return shutil.which(choice)
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class BrowserRenderer:
    """Renders pages in browsers. Each page has its own context, without cookies or storage of other pages, and its own
    proxy."""

    def __init__(self, policy: BrowserPolicy, fetch: FetchPolicy, resolver: Resolver | None = None) -> None:
        """Bind the policies. Connections follow the rules of `fetch`; `resolver` replaces the system's."""
        self._policy = policy
        self._system_resolver = SystemResolver()
        self._network = network_of(fetch, resolver or self._system_resolver)
        self._slots = Slots("browser", policy.pages)

    async def render(self, url: str, *, param: str | None = None) -> Rendered:
        """Return the page at `url` after it has loaded and gone quiet. Invisible elements are marked `hidden`.

        Raises FetchFailed (the page cannot be loaded, takes too long or crashes), InputTooLarge, EngineUnavailable (no
        browser starts) and UpstreamDown (the browser at an address does not answer).
        """
        # The first import takes as long as loading a page.
        await asyncio.to_thread(importlib.import_module, "playwright.async_api")
        from playwright.async_api import Error

        async with self._slots.slot():
            try:
                async with asyncio.timeout(self._policy.seconds), self._browser() as (browser, here):
                    return await self._render(browser, here, url, param)
            except TimeoutError as error:
                raise self._failed(url, param, f"took longer than {self._policy.seconds:g} s") from error
            except Error as error:
                raise self._failed(url, param, "could not be loaded in the browser, or crashes in it") from error

    async def close(self) -> None:
        await self._system_resolver.close()

    async def _render(self, browser: "Browser", here: str, url: str, param: str | None) -> Rendered:
        async with BrowserProxy(self._network, here) as proxy, _context(browser, proxy) as context:
            page = await context.new_page()
            response = await page.goto(url, wait_until="load", timeout=0)
            if response is None or response.status >= 400:
                status = response.status if response else None
                raise FetchFailed(
                    f"'{url[:200]}' answered the browser with status {status}.", status=status, param=param
                )
            await _wait_until_quiet(page)
            if not page.url.startswith(("http://", "https://")):  # the browser's own error page
                raise self._failed(url, param, "leads the browser to an address that cannot be opened")
            await page.evaluate(_MARK_UNSEEN)
            html = await page.content()
            data = await asyncio.to_thread(html.encode, "utf-8", "replace")
            if len(data) > self._policy.max_bytes:
                raise InputTooLarge(f"'{url[:200]}' becomes too large in the browser.", param=param)
            return Rendered(data, page.url)

    @asynccontextmanager
    async def _browser(self) -> AsyncIterator[tuple["Browser", str]]:
        """Start a browser, or connect to the one that is running at an address, for the duration of the block. Yield it
        with the IP address under which it reaches this process."""
        from playwright.async_api import Error

        program, here = self._policy.program, "127.0.0.1"
        if program.startswith(_DEVTOOLS):
            program, here = await _found(program)
        clean_library_path()  # Playwright's driver and the browser inherit it
        async with _driver() as playwright:
            try:
                if program.startswith(_DEVTOOLS):
                    browser = await playwright.chromium.connect_over_cdp(program)
                else:
                    browser = await playwright.chromium.launch(
                        executable_path=program,
                        args=list(FLAGS),
                        proxy={"server": _NOWHERE},
                        # Chromium refuses to run with a sandbox as root.
                        chromium_sandbox=os.geteuid() != 0,
                        handle_sigint=False,
                        handle_sigterm=False,
                        handle_sighup=False,
                    )
                    await asyncio.to_thread(limit_memory, await _pid_of(browser))
            except Error as error:
                if program.startswith(_DEVTOOLS):
                    raise UpstreamDown("browser", _NO_ANSWER) from error
                raise EngineUnavailable("browser", "The browser that OPENFAZE_BROWSER names does not start.") from error
            try:
                yield browser, here
            finally:
                await _close_quietly(browser.close())

    def _failed(self, url: str, param: str | None, reason: str) -> FetchFailed:
        return FetchFailed(f"'{url[:200]}' {reason}.", param=param)


@asynccontextmanager
async def _driver() -> AsyncIterator["Playwright"]:
    """Start Playwright's driver, a Node.js, for the duration of the block. Raises EngineUnavailable."""
    from playwright.async_api import async_playwright

    manager = async_playwright()
    try:
        playwright = await manager.start()
    except Exception as error:  # Playwright raises no class of its own
        raise EngineUnavailable("browser", _NO_DRIVER) from error
    try:
        yield playwright
    finally:
        await playwright.stop()


async def _found(address: str) -> tuple[str, str]:
    """Return the address of a DevTools port with the IP address of its host, because Chromium refuses names, and this
    machine's own IP address in the network between them. Raises UpstreamDown."""
    parts = urlsplit(address)
    is_secure = parts.scheme in ("https", "wss")
    port = parts.port or (443 if is_secure else 80)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, port)
    except OSError as error:
        raise UpstreamDown("browser", _NO_ANSWER) from error
    there, here = writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")[0]
    writer.close()
    if is_secure:  # its certificate is for the name
        return address, here
    return urlunsplit(parts._replace(netloc=f"[{there}]:{port}" if ":" in there else f"{there}:{port}")), here


@asynccontextmanager
async def _context(browser: "Browser", proxy: BrowserProxy) -> AsyncIterator["BrowserContext"]:
    context = await browser.new_context(
        proxy={"server": proxy.url},
        service_workers="block",
        accept_downloads=False,
        java_script_enabled=True,
        permissions=[],
        viewport={"width": 1280, "height": 2000},
    )
    try:
        await context.add_init_script(_WITHOUT_WORKERS_AND_SOCKETS)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        await context.route("**/*", _filter_request)
        yield context
    finally:
        await _close_quietly(context.close())


class LateBrowser:
    """The browser that `choice` means. Until a browser is installed, each use searches for one. `make` builds the
    renderer from the result of `find_browser`."""

    def __init__(self, choice: str, make: Callable[[str], BrowserRenderer]) -> None:
        self._choice = choice
        self._make = make
        self._renderer: BrowserRenderer | None = None

    async def __call__(self) -> BrowserRenderer | None:
        """Return the renderer, or None if no browser is installed or it is off."""
        if self._renderer is None:
            program = await asyncio.to_thread(find_browser, self._choice)
            if self._renderer is None and program is not None:
                self._renderer = self._make(program)
        return self._renderer

    async def close(self) -> None:
        if self._renderer is not None:
            await self._renderer.close()


async def _pid_of(browser: "Browser") -> int:
    session = await browser.new_browser_cdp_session()
    try:
        info = await session.send("SystemInfo.getProcessInfo")
    finally:
        await session.detach()
    return next(int(one["id"]) for one in info["processInfo"] if one["type"] == "browser")


def limit_memory(pid: int, megabytes: int = PROCESS_MB) -> None:
    """Limit the data of a process, of its descendants, and of all processes that they start later. A script that wants
    more gets an error, or its page crashes. Linux only."""
    if sys.platform != "linux":
        return
    import resource

    size = megabytes << 20
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            # The limit is set before the children are listed, so that those started meanwhile inherit it.
            resource.prlimit(one, resource.RLIMIT_DATA, (size, size))
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (ProcessLookupError, FileNotFoundError):
            pass  # it has ended
        except OSError as error:
            log.warning("browser_memory_unlimited", reason=type(error).__name__)


async def _wait_until_quiet(page: "Page") -> None:
    from playwright.async_api import TimeoutError as Restless

    with contextlib.suppress(Restless):  # a page that polls forever is read as it is
        await page.wait_for_load_state("networkidle", timeout=_SETTLE_MS)


async def _filter_request(route: "Route") -> None:
    request = route.request
    if request.resource_type in _NOT_LOADED or not request.url.startswith(("http://", "https://", "data:", "blob:")):
        await route.abort()
    else:
        await route.continue_()


async def _close_quietly(closing: object) -> None:
    """Close a page or context, which may have died already."""
    from playwright.async_api import Error

    with contextlib.suppress(Error):
        await closing  # type: ignore[misc]
