"""docs/troubleshooting.md: what the server is said to say, it says."""

import re
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.assembly.building import build_runtime
from app.cli.serving import CannotListen, listen
from app.main import create_app
from app.runnable_commands import adapt_for_client
from app.settings import Settings
from models.base import EngineUnavailable
from models.sandbox.capability import CODE_SANDBOX
from models.weights.files import WEIGHT_SETS
from models.weights.pulling import PullFailed, pull
from tests.e2e.conftest import data_url, ocr_request
from tests.llm_server import Reply, serving_llm
from tests.origin import Origin, serving_origin
from tests.pages import single_line
from tests.server import free_port

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
_SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^```text said\n(.*?)\n^```$", re.MULTILINE | re.DOTALL)
QUOTED = [(title, said) for title, section in _SECTION.findall(PAGE.read_text()) for said in _SAID.findall(section)]
PATH = "/v1/chat/completions"


class Machine:
    """A new one: nothing is installed beside what comes along, nothing pulled, and no network is there."""

    def __init__(self, folder: Path, origin: Origin) -> None:
        self.origin = origin
        self.weights = folder / "weights"
        self._folder = folder

    def settings(self, **settings: Any) -> Settings:
        told = {"llm": "off", "search_provider": ("off",), "browser": "off", **settings}
        return Settings(_env_file=None, files_dir=str(self._folder), weights_dir=str(self.weights), **told)

    async def answer(
        self, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], headers: Any = None, **settings: Any
    ) -> str:
        """The error's message."""
        app = create_app(self.settings(**settings))
        transport = httpx.ASGITransport(app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers) as client:
                return str((await ask(client)).json()["error"]["message"])
        finally:
            await app.state.services.close()

    async def chat(self, body: dict[str, object], headers: Any = None, **settings: Any) -> str:
        return await self.answer(lambda client: client.post(PATH, json=body), headers, **settings)

    async def task(self, name: str, text: str, **settings: Any) -> str:
        messages = [{"role": "system", "content": f"<task>{name}</task>"}, {"role": "user", "content": text}]
        return await self.chat({"model": "auto", "messages": messages}, **settings)

    async def ocr(self, url: str, **settings: Any) -> str:
        return await self.chat(ocr_request(url), **settings)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("PATH", "/nowhere")
    with serving_origin() as origin:
        yield Machine(tmp_path, origin)


HELLO: dict[str, object] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


async def port_in_use(_: Machine) -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotListen) as raised:
        listen("127.0.0.1", taken.getsockname()[1])
    return str(raised.value)


async def beyond_loopback(machine: Machine) -> str:
    with pytest.raises(ValueError) as raised:
        create_app(machine.settings(host="0.0.0.0"))
    return str(raised.value)


async def named_engine(machine: Machine) -> str:
    with pytest.raises(ValueError) as raised:
        create_app(machine.settings(ocr="paddleocr"))
    return str(raised.value)


async def no_key(machine: Machine) -> str:
    return await machine.chat(HELLO, api_keys=("right",))


async def wrong_key(machine: Machine) -> str:
    return await machine.chat(HELLO, {"authorization": "Bearer wrong"}, api_keys=("right",))


async def no_translation(machine: Machine) -> str:
    return await machine.task("translate", "Translate to German: Good morning")


async def no_search(machine: Machine) -> str:
    return await machine.task("web_search", "Who won?")


async def no_sandbox(machine: Machine) -> str:
    with pytest.raises(EngineUnavailable) as raised:
        build_runtime(machine.settings()).use(CODE_SANDBOX)
    return str(raised.value)


async def no_network(machine: Machine) -> str:
    def unreachable(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno -2] Name or service not known")

    client = httpx.Client(transport=httpx.MockTransport(unreachable))
    with client, pytest.raises(PullFailed) as raised:
        pull(WEIGHT_SETS["rf-detr-seg-small"], machine.weights, client=client)
    return str(raised.value)


async def tiny_llm(machine: Machine) -> str:
    """The answer's warnings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.language.capability.EMBEDDED_MAX_TOKENS", 4)
        app = create_app(machine.settings(llm="auto"))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server", timeout=120) as client:
            body = (await client.post(PATH, json=HELLO)).json()
        await app.state.services.close()
    return "\n".join(body["warnings"])


async def no_llm(machine: Machine) -> str:
    address = f"http://127.0.0.1:{free_port()}/v1"
    return await machine.chat(HELLO, llm="openai-server", llm_base_url=address)


async def a_page_for_an_llm(machine: Machine) -> str:
    page = Reply(body=b"<title>Log in</title>", content_type="text/html")
    with serving_llm(lambda _: page) as web:
        web.probe_reply = lambda _: page
        return await machine.chat(HELLO, llm="openai-server", llm_base_url=web.base_url, llm_model="any")


def _picture() -> str:
    return data_url(single_line("hello").encoded())


async def many_pixels(machine: Machine) -> str:
    return await machine.ocr(_picture(), max_image_megapixels=0.001)


async def large_part(machine: Machine) -> str:
    return await machine.ocr(_picture(), max_part_mb=0.0001)


async def private_address(machine: Machine) -> str:
    return await machine.ocr("http://127.0.0.1:3000/a.png")


async def scripts_alone(machine: Machine) -> str:
    machine.origin.files["/"] = b'<html><body><div id="root"></div><script src="/app.js"></script></body></html>'
    machine.origin.headers["/"] = {"content-type": "text/html"}
    return await machine.task("scraper", machine.origin.url("/"), fetch_allow="127.0.0.1")


async def too_long(machine: Machine) -> str:
    machine.origin.files["/a.png"] = b""
    return await machine.ocr(machine.origin.url("/held/a.png"), fetch_allow="127.0.0.1", request_timeout_s=0.2)


SAYING: Sequence[Callable[[Machine], Awaitable[str]]] = (
    port_in_use,
    beyond_loopback,
    named_engine,
    no_key,
    wrong_key,
    no_translation,
    no_search,
    no_sandbox,
    no_network,
    tiny_llm,
    tiny_llm,
    no_llm,
    a_page_for_an_llm,
    many_pixels,
    large_part,
    private_address,
    scripts_alone,
    too_long,
)
"""What brings each message about, in the order of the page."""


@pytest.mark.parametrize(
    ("said", "saying"), list(zip(QUOTED, SAYING, strict=False)), ids=lambda one: getattr(one, "__name__", "")
)
async def test_the_server_says_what_the_page_says(
    said: tuple[str, str], saying: Callable[[Machine], Awaitable[str]], machine: Machine
) -> None:
    """`…` stands for anything."""
    quoted = ".*".join(map(re.escape, adapt_for_client(said[1]).split("…")))
    answer = adapt_for_client(await saying(machine))
    assert re.search(quoted, answer, re.DOTALL), f"{said[0]}: {answer}"
