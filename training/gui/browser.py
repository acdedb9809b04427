"""Headless Chromium over its DevTools protocol: it renders a page as a picture, with the boxes and roles of its
elements."""

import asyncio
import base64
import contextlib
import io
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import PIL.Image

from models.vision.text import Image
from training.gui.truth import SCRIPT, TrueElement, elements_of

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""Path of the browser; None if none is installed."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)
_START_S = 60.0
_TALLEST = 2400
"""Largest rendered height of a page, in CSS pixels."""
_WHEN_READY = """
(async () => {
  await document.fonts.ready;
  for (const animation of document.getAnimations()) { try { animation.finish(); } catch (e) { animation.cancel(); } }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
})()
"""


@dataclass(frozen=True, slots=True)
class Screen:
    """Size of the screen on which a page is shown."""

    width: int
    """Width in CSS pixels."""
    height: int
    scale: float = 1.0
    """Device pixels per CSS pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    image: Image
    elements: tuple[TrueElement, ...]
    """Elements with boxes in pixels of `image`."""


class Browser:
    """A page of a browser, which shows one document after another.

    >>> async with Browser.started() as browser:
    ...     rendered = await browser.render(Path("page.html").resolve().as_uri(), Screen(1280, 800))
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls) -> AsyncIterator["Browser"]:
        """Start a browser for the block. Raises RuntimeError if no browser is installed, or if it does not start."""
        if PROGRAM is None:
            raise RuntimeError("no Chromium is installed")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            process = await asyncio.create_subprocess_exec(
                PROGRAM,
                *_FLAGS,
                f"--user-data-dir={profile}",
                "about:blank",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                port = await _port(Path(profile) / "DevToolsActivePort", process)
                async with aiohttp.ClientSession() as session:
                    async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                        targets = await answer.json()
                    address = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
                    async with session.ws_connect(address, max_msg_size=0, heartbeat=None) as socket:
                        browser = cls(socket)
                        for domain in ("Page", "DOM", "Accessibility"):
                            await browser._call(f"{domain}.enable")
                        yield browser
            finally:
                if process.returncode is None:
                    process.terminate()
                await process.wait()

    async def render(self, address: str, screen: Screen) -> Rendered:
        """Return the document at `address` as a picture, with its elements."""
        metrics: dict[str, Any] = {
            "width": screen.width,
            "height": screen.height,
            "deviceScaleFactor": screen.scale,
            "mobile": False,
        }
        await self._call("Emulation.setDeviceMetricsOverride", **metrics)
        await self._call("Page.navigate", address, url=address)
        await self._evaluate(_WHEN_READY)
        tall = await self._evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        metrics["height"] = min(max(screen.height, int(tall)), _TALLEST)
        await self._call("Emulation.setDeviceMetricsOverride", **metrics)
        found = await self._evaluate(f"({SCRIPT})()")
        document = await self._call("DOM.getDocument", depth=-1, pierce=True)
        tree = await self._call("Accessibility.getFullAXTree")
        shot = await self._call("Page.captureScreenshot", format="png")
        picture = PIL.Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        image = np.asarray(picture)
        return Rendered(image, elements_of(found, document["root"], tree["nodes"], image, screen.scale))

    async def _evaluate(self, expression: str) -> Any:
        answer = await self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, timeout=30_000
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"the page's script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def _call(self, method: str, *until: str, **parameters: Any) -> Any:
        """Return the result of a command. With `until`, return it only after the page has loaded."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        result, loaded = None, not until
        while result is None or not loaded:
            message = await self._socket.receive_json(timeout=60)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                result = message["result"]
            loaded |= message.get("method") == "Page.loadEventFired"
        return result


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    """Return the browser's port, which it writes to `file`."""
    async with asyncio.timeout(_START_S):
        while process.returncode is None:
            if lines := await asyncio.to_thread(_words_of, file):
                return int(lines[0])
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the browser ended with status {process.returncode}")


def _words_of(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []
