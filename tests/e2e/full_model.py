"""The whole app over HTTP with a scripted LLM behind it, and what its answers and streams are made of.

with serving_full_model("tools") as model:
    model.script(Reply("Paris."))
    assert content_of(model.ask("The capital of France?")) == "Paris."
    assert model.prompts[0]["messages"]
"""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from app.cli.serving import configure
from app.main import create_app
from app.settings import Settings
from app.state.entries import Entries
from tests.e2e.conftest import data_url
from tests.kit.clients.response_events import check_answer
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.servers.server import for_all_servers

Json = dict[str, Any]
PATH = "/v1/chat/completions"
CONTEXT_TOKENS = 32768


@dataclass(frozen=True)
class FullModel:
    client: httpx.Client
    llm: LlmServer
    log: Sequence[Mapping[str, Any]]
    """What the app has logged."""

    @property
    def base_url(self) -> str:
        return str(self.client.base_url)

    @property
    def prompts(self) -> list[Json]:
        """The bodies that the LLM was sent since the last `script`."""
        return [request.body for request in self.llm.requests]

    def script(self, *replies: Reply, by_body: Callable[[Json], Reply] | None = None) -> None:
        """What the LLM says from now on: in order, or by the body that it is sent."""
        self.llm.script = by_body or replies
        self.llm.requests.clear()
        self.llm.cancelled.clear()

    def says_ok(self) -> None:
        """From now on, to everything."""
        self.script()
        self.llm.script = None

    def ask(self, *messages: Json | str | list[Json], headers: Json | None = None, **fields: Any) -> httpx.Response:
        """A string or a list of parts is a user's message."""
        return self.client.post(PATH, json=body_of(*messages, **fields), headers=headers)

    def stream(self, *messages: Json | str | list[Json], headers: Json | None = None, **fields: Any) -> "Streamed":
        response = self.ask(*messages, headers=headers, stream=True, **fields)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return Streamed.read(response.text)


def precontext_in(text: str) -> list[Json]:
    """The entries of a delta that is nothing but blocks of them."""
    blocks = re.findall(r"<precontext>\n(.*)\n</precontext>", text.replace("</precontext><", "</precontext>\n<"))
    assert text == "".join(f"<precontext>\n{block}\n</precontext>" for block in blocks)
    return [json.loads(block) for block in blocks]


@dataclass(frozen=True)
class Streamed:
    """A stream that has ended."""

    chunks: list[Json]
    error: Json | None
    """What an `error` event told."""

    @classmethod
    def read(cls, text: str) -> "Streamed":
        """Checks what is true of every stream: only known events, each chunk of one answer, `[DONE]` at the end."""
        events = [event for event in text.split("\n\n") if event and not event.startswith(":")]
        assert events.pop() == "data: [DONE]"
        error = None
        if events and events[-1].startswith("event: error\n"):
            error = json.loads(events.pop().removeprefix("event: error\ndata: "))["error"]
        chunks = [json.loads(event.removeprefix("data: ")) for event in events]
        assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) <= 1
        for chunk in chunks:
            assert (chunk["type"], chunk["object"]) == ("text-delta", "chat.completion.chunk")
        roles = [delta.get("role") for delta in _deltas(chunks)]
        assert roles == ["assistant", *[None] * (len(roles) - 1)][: len(roles)]
        return cls(chunks, error)

    @property
    def texts(self) -> list[str]:
        """The content of each delta that has some."""
        return [delta["content"] for delta in _deltas(self.chunks) if "content" in delta]

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def tool_calls(self) -> list[Json]:
        """The pieces of calls."""
        return [piece for delta in _deltas(self.chunks) for piece in delta.get("tool_calls", ())]

    @property
    def finish_reasons(self) -> list[str]:
        return [c["finish_reason"] for chunk in self.chunks for c in chunk["choices"] if c["finish_reason"]]


def _deltas(chunks: Sequence[Json]) -> list[Json]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def body_of(*messages: Json | str | list[Json], **fields: Any) -> Json:
    said = [message if isinstance(message, dict) else {"role": "user", "content": message} for message in messages]
    return {"model": "interfaze-beta", "messages": said, **fields}


def picture_of(text: str) -> Json:
    """A content part that shows one line of `text`."""
    return {"type": "image_url", "image_url": {"url": data_url(single_line(text).encoded())}}


def text_part(text: str) -> Json:
    return {"type": "text", "text": text}


def system(text: str) -> Json:
    return {"role": "system", "content": text}


def schema_of(**properties: Json) -> Json:
    """A `response_format` of an object with exactly these members."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def content_of(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["message"]["content"]


def vcache(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["vcache"]


def error_of(response: httpx.Response, status: int, code: str, names: str = "") -> Json:
    """The error object, which has OpenAI's form and says nothing about the inside of the server, but what it `names` to
    who runs it."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    error: Json = response.json()["error"]
    assert list(error) == ["message", "type", "code", "param", "request_id"]
    assert error["code"] == code
    assert error["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in error["message"]
    assert names in error["message"]
    assert "127.0.0.1" not in error["message"].replace(names, "")
    return error


def prompt_text(prompt: Json) -> str:
    """All that the LLM reads of a prompt, message by message."""
    return "\n".join(
        "\n".join(part.get("text", "") for part in content) if isinstance(content, list) else content or ""
        for content in (message["content"] for message in prompt["messages"])
    )


@contextlib.contextmanager
def serving_full_model(abilities: str = "tools,json_schema", **settings: Any) -> Iterator[FullModel]:
    """The app in a thread of this process, on a free port, in front of an LLM with these abilities.

    At the end it has logged no error: whatever a test did to it, it was prepared for.
    """
    with structlog.testing.capture_logs() as log, serving_llm() as llm:
        told = {
            "llm": "openai-server",
            "llm_base_url": llm.base_url,
            "llm_model": "scripted",
            "llm_abilities": abilities,
            "llm_context_tokens": CONTEXT_TOKENS,
            # Else an LLM with tools is offered them whatever is asked: their own tests turn them on.
            "code_sandbox": "off",
            "search_provider": ("off",),
            # What is planned and cannot be run is seen by a forecast.
            "forecast": "off",
            "translate": "off",
            **for_all_servers(),
            **settings,
        }
        with (
            serving_app(Settings(_env_file=None, **told)) as base_url,
            checking_client(base_url=base_url, timeout=240, trust_env=False) as client,
        ):
            yield FullModel(client, llm, log)
    errors = [entry for entry in log if entry["log_level"] == "error"]
    assert errors == [], errors


@contextlib.contextmanager
def client_of_app(folder: Path, **settings: Any) -> Iterator[httpx.Client]:
    """A client of the app in a thread of this process: for a test of settings that no other has, as a process of its
    own takes seconds to start. What is uploaded lies in `folder`."""
    told = {"search_provider": ("off",), "files_dir": str(folder / "files")}
    told |= {**for_all_servers(), **settings}
    with (
        serving_app(Settings(_env_file=None, **told)) as base_url,
        checking_client(base_url=base_url, timeout=240, trust_env=False) as client,
    ):
        yield client


def checking_client(**settings: Any) -> httpx.Client:
    """A client that notices a response, or an event of its stream, which has not the published form."""
    return httpx.Client(event_hooks={"response": [check_answer]}, **settings)


@contextlib.contextmanager
def serving_app(settings: Settings) -> Iterator[str]:
    """Its address. Everything that the app started has ended when the block does.

    It waits for its cache however busy the machine is: what a slow store costs is tried with the store itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Entries.__init__.__kwdefaults__, "patience_s", 60.0)
        with _serving(create_app(settings), settings) as base_url:
            yield base_url


@contextlib.contextmanager
def _serving(app: FastAPI, settings: Settings) -> Iterator[str]:
    config = configure(app, settings)
    config.port = 0
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    # Who asks before the app runs waits, instead of being refused.
    listening.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
