"""Inputs that grow: the server's work grows no faster than they do, and beyond a limit a bound answers.

What is measured is the time that the server's processes spend on a processor, which tells little of how busy the
machine is. Five sizes, each twice the one before; the slope of their line on a double logarithmic scale is 1 for work
that is linear, 2 for work that compares each with each. Such work is seen from some two seconds a megabyte on; less is
lost in what every request costs.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import numpy as np
import psutil
import pytest

from tests.e2e.conftest import KEY, api_client, data_url
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import Server, serving

pytestmark = pytest.mark.deep

SIZES = [60_000 * 2**doubled for doubled in range(5)]
"""Bytes, nearly to a megabyte."""
FLOOR_S = 0.03
"""Added to each time: what is less is noise, and what any request costs."""
STEEPEST = 1.3
CHAT = "/v1/chat/completions"
MB = 1 << 20


@dataclass(frozen=True)
class Sent:
    body: bytes = b""
    path: str = CHAT
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def chat(cls, *messages: object, **fields: object) -> "Sent":
        body = {"model": "interfaze-beta", "messages": messages, **fields}
        return cls(json.dumps(body).encode(), headers={"content-type": "application/json"})

    @classmethod
    def form(cls, path: str, content: bytes = b"a", **fields: str) -> "Sent":
        request = httpx.Request("POST", "http://x", files={"file": ("a.txt", content)}, data=fields)
        return cls(request.read(), path, {"content-type": request.headers["content-type"]})


Make = Callable[[int], Sent]


def said(content: object, role: str = "user") -> dict[str, object]:
    return {"role": role, "content": content}


def repeated(sign: str, size: int) -> str:
    return sign * (size // len(sign))


def task(name: str, sign: str, *parts: object) -> Make:
    """A run task whose text is of one sign, over and over."""
    system = said(f"<task>{name}</task>", "system")
    return lambda size: Sent.chat(system, said([{"type": "text", "text": repeated(sign, size)}, *parts]))


def attached(name: str, sign: str, media_type: str, text: str = "What does it say?") -> Make:
    system = [said(f"<task>{name}</task>", "system")] if name else []

    def make(size: int) -> Sent:
        file = {"file_data": data_url(repeated(sign, size).encode(), media_type), "filename": "a"}
        return Sent.chat(*system, said([{"type": "text", "text": text}, {"type": "file", "file": file}]))

    return make


def parts(count: Callable[[int], list[object]]) -> Make:
    return lambda size: Sent.chat(said("<task>ocr</task>", "system"), said(count(size)))


PICTURE = {"type": "image_url", "image_url": {"url": data_url(single_line("Save").encoded())}}
TABLE = {"type": "file", "file": {"file_data": data_url(b"a\n1\n2\n3\n4\n5\n6\n", "text/csv"), "filename": "a.csv"}}


def embedded(texts: object) -> Sent:
    return Sent(json.dumps({"model": "openfaze-embedding", "input": texts}).encode(), "/v1/embeddings")


def answered(items: object) -> Sent:
    return Sent(json.dumps({"model": "auto", "input": items}).encode(), "/v1/responses")


GROWING: dict[str, Make] = {
    "a user's message": lambda size: Sent.chat(said(repeated("word ", size))),
    "a message of different words": lambda size: Sent.chat(said(" ".join(f"w{n}" for n in range(size // 7)))),
    "a system message": lambda size: Sent.chat(said(repeated("word ", size), "system"), said("Hello")),
    "open tags in a system message": lambda size: Sent.chat(said(repeated("<task>", size), "system"), said("Hello")),
    "earlier messages": lambda size: Sent.chat(*[said("word")] * (size // 40), said("Hello")),
    "an assistant's message": lambda size: Sent.chat(said("a"), said(repeated("a ", size), "assistant"), said("b")),
    "a question and a text": lambda size: attached("", "one two three\n", "text/plain", repeated("why ", size))(size),
    "a text file": attached("ocr", "word\n", "text/plain"),
    "a JSON file": attached("ocr", "[1],", "application/json"),
    "an HTML file": attached("ocr", "<p>a", "text/html"),
    "an XML file": attached("ocr", "<a>", "application/xml"),
    "a table to forecast": attached("forecast", "x,y\n", "text/csv"),
    "words for elements": task("gui_detection", "a,", PICTURE),
    "quotes for elements": task("gui_detection", '"', PICTURE),
    "words for objects": task("object_detection", "a,", PICTURE),
    "pages to read": task("ocr", "page 1,", PICTURE),
    "series among quotes": task("forecast", '"'),
    "series among brackets": task("forecast", "("),
    "wishes for a forecast": task("forecast", "the next ", TABLE),
    "words to search for": task("web_search", "what is "),
    "languages to translate into": task("translate", "to French "),
    "equal pictures": parts(
        lambda size: [{"type": "image_url", "image_url": {"url": "https://a.invalid/a"}}] * (size // 60)
    ),
    "different pictures": parts(
        lambda size: [{"type": "image_url", "image_url": {"url": f"https://a.invalid/{n}"}} for n in range(size // 60)]
    ),
    "texts in parts": parts(lambda size: [{"type": "text", "text": "a"}] * (size // 30)),
    "links in a text": lambda size: Sent.chat(said(repeated("https://a.invalid/b ", size))),
    "a model's name": lambda size: Sent(json.dumps({"model": "a" * size, "messages": [said("a")]}).encode()),
    "metadata": lambda size: Sent.chat(said("a"), metadata={str(n): "a" for n in range(size // 15)}),
    "unknown fields": lambda size: Sent.chat(said("a"), **{f"field{n}": 1 for n in range(size // 15)}),
    "strings to stop at": lambda size: Sent.chat(said("a"), stop=["a"] * (size // 5)),
    "tools": lambda size: Sent.chat(
        said("a"), tools=[{"type": "function", "function": {"name": f"f{n}"}} for n in range(size // 60)]
    ),
    "a schema": lambda size: Sent.chat(
        said("a"),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": {"properties": {f"p{n}": {} for n in range(size // 20)}}},
        },
    ),
    "brackets instead of a request": lambda size: Sent(b"[" * size),
    "moderated text": lambda size: Sent(json.dumps({"input": repeated("word ", size)}).encode(), "/v1/moderations"),
    "a text to embed": lambda size: embedded(repeated("word ", size // 8)),
    "texts to embed": lambda size: embedded(["a"] * (size // 500)),
    "items": lambda size: answered([said("a")] * (size // 30)),
    "calls": lambda size: answered(
        [{"type": "function_call", "call_id": f"{n}", "name": "f", "arguments": ""} for n in range(size // 70)]
    ),
    "references": lambda size: answered(
        [{"type": "item_reference", "id": f"msg_{n:032x}0000"} for n in range(size // 70)]
    ),
    "an uploaded file": lambda size: Sent.form("/v1/files", b"a" * size, purpose="user_data"),
    "a form's field": lambda size: Sent.form("/v1/files", purpose="a" * size),
    "a form's fields": lambda size: Sent.form("/v1/files", b"a", **{f"f{n}": "a" for n in range(size // 100)}),
    "a prompt for speech": lambda size: Sent.form(
        "/v1/audio/transcriptions", model="whisper-1", prompt="a " * (size // 2)
    ),
}

BEYOND: dict[str, tuple[Sent, int, str]] = {
    "a header": (Sent(path="/v1/models", headers={"x": "a" * MB}), 431, "head_too_large"),
    "many headers": (Sent(path="/v1/models", headers={f"x{n}": "a" for n in range(20_000)}), 431, "head_too_large"),
    "a body": (Sent(b" " * (129 * MB)), 413, "request_too_large"),
    "values": (Sent(b"[" + b"1," * 250_000 + b"1]"), 413, "request_too_large"),
    "inputs": (GROWING["different pictures"](MB // 16), 400, "too_many_sources"),
    "a part": (attached("ocr", "a", "text/plain")(2 * MB), 413, "file_too_large"),
    "messages": (task("ocr", "x")(10_100_000), 413, "request_too_large"),
    "a series": (task("forecast", "x")(1_100_000), 413, "file_too_large"),
    "a text to translate": (task("translate", "Translate into French: a ")(1_100_000), 413, "request_too_large"),
    "a schema": (GROWING["a schema"](MB // 4), 400, "invalid_request"),
    "a text to embed": (embedded("a " * 600_000), 413, "request_too_large"),
    "items": (answered([said("a")] * 10_001), 400, "invalid_request"),
    "a form's fields": (GROWING["a form's fields"](100 * 40), 400, "invalid_request"),
    "a form's field": (GROWING["a form's field"](5000), 400, "invalid_request"),
    "an uploaded file": (Sent.form("/v1/files", b"a" * 3 * MB, purpose="user_data"), 413, "file_too_large"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        serving_llm(lambda _: Reply("{}")) as llm,
        serving(
            tmp_path_factory.mktemp("deep") / "log",
            api_keys=KEY,
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="tools,json_schema",
            llm_context_tokens=32768,
            max_part_mb=1.5,
            max_file_mb=2,
        ) as running,
    ):
        yield running


def send(server: Server, sent: Sent) -> httpx.Response:
    with api_client(server) as client:
        if sent.body:
            return client.post(sent.path, content=sent.body, headers=sent.headers)
        return client.get(sent.path, headers=sent.headers)


def spent_s(server: Server) -> float:
    """By its processes so far, on processors, with those that have ended."""
    process = psutil.Process(server.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(time.user + time.system + time.children_user + time.children_system for time in times)


@pytest.mark.measured
@pytest.mark.parametrize("make", GROWING.values(), ids=GROWING.keys())
def test_work_grows_no_faster_than_what_is_sent(server: Server, make: Make) -> None:
    send(server, make(SIZES[0]))  # engines are loaded
    times = []
    for size in SIZES:
        before = spent_s(server)
        assert send(server, make(size)).status_code != 500
        times.append(spent_s(server) - before + FLOOR_S)
    slope = float(np.polyfit(np.log(SIZES), np.log(times), 1)[0])
    assert slope < STEEPEST, f"{[round(time, 2) for time in times]} s for {SIZES} bytes"


@pytest.mark.parametrize(("sent", "status", "code"), BEYOND.values(), ids=BEYOND.keys())
def test_a_bound_answers_what_is_too_large(server: Server, sent: Sent, status: int, code: str) -> None:
    response = send(server, sent)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text[:300]
