"""Real servers shared by these tests, and pictures to send to them."""

import base64
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tasks.scrape.browser import find_browser
from tests.conftest import SHARED
from tests.kit.engines.remembering import remember
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.papers.pages import single_line
from tests.kit.processes.forked import stem
from tests.kit.servers.server import REMEMBERING, Server, further_settings, keep_replicas_apart, serving

if TYPE_CHECKING:
    from tests.e2e.full_model import FullModel

KEY = "test-key-1"
BROWSER = find_browser()
needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")
CLIENT_PYTHON = Path(__file__).parents[2] / ".venv-client" / "bin" / "python"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if further_settings().get("cluster") != "ray":
        return
    keep_replicas_apart()  # of the servers in this process
    for item in items:
        # Ray emits warnings of its own, about its imports and about resources that it leaves open.
        item.add_marker(pytest.mark.filterwarnings("ignore"))
        if here := item.get_closest_marker("in_process"):
            item.add_marker(pytest.mark.skip(here.args[0]))


@pytest.fixture(scope="session", autouse=True)
def _patient_clients() -> Iterator[None]:
    """Let clients for which no limit is set wait for a minute. The usual five seconds pass on a busy machine."""
    usual = inspect.signature(httpx.Client).parameters["timeout"].default
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "read", "write", "pool"):
            patch.setattr(usual, name, 60.0)
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server with the embedded defaults and a key. Its fetcher reaches only public addresses."""
    with serving(tmp_path_factory.mktemp("server") / "log", api_keys=KEY, preload="ocr", llm="off") as running:
        yield running


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server like `server`, with the sample weights and a local forecaster, and allowed to fetch from 127.0.0.1.

    Its uploads and logs are shared by all tests, and so is what it has read and heard.
    """
    log = tmp_path_factory.mktemp("open") / "log"
    settings = {"fetch_allow": "127.0.0.1/32", "weights_dir": SHARED / "weights", "forecast": "statsmodels"}
    with serving(log, REMEMBERING, api_keys=KEY, preload="ocr", llm="off", **settings) as running:
        yield running


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server with the sample weights and without keys, which nothing but the LLM that comes along answers for."""
    log = tmp_path_factory.mktemp("own") / "log"
    with serving(log, REMEMBERING, weights_dir=SHARED / "weights") as running:
        yield running


@pytest.fixture(scope="module")
def remembering() -> Iterator[None]:
    """Let apps in this process read each picture, and transcribe each recording, only once."""
    with pytest.MonkeyPatch.context() as patch:
        remember(patch.setattr)
        yield


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """Web server with a picture at `/sign.png` that says "Platform nine"."""
    with serving_origin() as origin:
        origin.files["/sign.png"] = single_line("Platform nine").encoded()
        yield origin


@pytest.fixture(scope="package")
def _shared_model() -> Iterator["FullModel"]:
    from tests.e2e.full_model import serving_full_model

    with serving_full_model(fetch_allow="127.0.0.1/32") as model:
        yield model


@pytest.fixture(scope="module")
def model(_shared_model: "FullModel", remembering: None) -> "FullModel":
    """Full model that all files share whose tests need no settings of their own. It may fetch from 127.0.0.1."""
    return _shared_model


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with api_client(server) as client:
        yield client


def api_client(server: Server) -> httpx.Client:
    """Return a client of plain HTTP. Reading the certificates for HTTPS would take longer than most tests."""
    return httpx.Client(
        base_url=server.base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=240, trust_env=False, verify=False
    )


def printed_by_client(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """Return the output of a Python program that uses the official client, in the environment with the older openai
    package."""
    if not CLIENT_PYTHON.exists():
        pytest.skip("needs the official client's environment, which `make test` creates")
    result = stem("import interfaze", CLIENT_PYTHON).run(program, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


def data_url(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def ocr_request(*urls: str, text: str = "Read it.", **fields: object) -> dict[str, object]:
    """Return the body of a run-task OCR request that shows each of `urls`."""
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {
        "model": "interfaze-beta",
        "messages": [
            {"role": "system", "content": "<task>ocr</task>"},
            {"role": "user", "content": [{"type": "text", "text": text}, *images]},
        ],
        **fields,
    }
