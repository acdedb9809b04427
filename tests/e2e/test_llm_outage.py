"""An LLM's server that comes later than openfaze, goes, and comes back: said, and taken in without a restart."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.monitoring import watching
from models.language.llm import Abilities
from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    FullModel,
    content_of,
    error_of,
    prompt_text,
    serving_full_model,
    text_part,
)
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import free_port
from tests.kit.waits.waiting import wait_until

ABLE = Abilities(vision=True, tools=True, json_schema=True, context_tokens=5000)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def model(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FullModel]:
    """Named as on a GPU box, where the context is left to be found out; nothing listens there yet."""
    monkeypatch.setattr(watching, "LOOK_S", 0.02)
    with serving_full_model(llm_base_url=f"http://127.0.0.1:{port}/v1", llm_context_tokens=None) as model:
        yield model


def is_away(model: FullModel, port: int) -> None:
    error_of(model.ask("Hello"), 503, "upstream_unavailable", names=f"http://127.0.0.1:{port}/v1")


def state_of(model: FullModel, capability: str) -> dict[str, Any]:
    response = model.client.get("/ready")
    assert response.status_code == 200, "no server of others keeps anything else from being served"
    return dict(response.json()["capabilities"][capability])


def llm_of(model: FullModel) -> dict[str, Any]:
    return state_of(model, "llm")


def test_an_llm_that_comes_late_is_taken_in_with_its_context(model: FullModel, port: int) -> None:
    wait_until(lambda: llm_of(model)["state"] == "unavailable")
    is_away(model, port)
    with serving_llm([Reply("Hi."), Reply("Hi.")], abilities=ABLE, port=port) as late:
        wait_until(lambda: llm_of(model)["state"] == "idle")
        assert content_of(model.ask("Hello")) == "Hi."
        assert llm_of(model)["state"] == "loaded"
        text = "\n".join(f"Line {number} is about nothing at all." for number in range(1500))
        file = {"file_data": data_url(text.encode(), "text/plain"), "filename": "a.txt"}
        model.ask([text_part("What is this about?"), {"type": "file", "file": file}])
        # Of a context that stays unknown, 8,192 tokens are assumed.
        assert 1000 < len(prompt_text(late.requests[-1].body)) / 3 < 5000


def test_an_llm_that_goes_and_comes_back_is_told_each_time(model: FullModel, port: int) -> None:
    with serving_llm([Reply("Hi.")], abilities=ABLE, port=port):
        wait_until(lambda: llm_of(model)["state"] == "idle")
        assert content_of(model.ask("Hello")) == "Hi."
    is_away(model, port)
    assert llm_of(model)["state"] == "unavailable"
    wait_until(lambda: any(entry["event"] == "server_away" for entry in model.log))
    with serving_llm([Reply("Hi again.")], abilities=ABLE, port=port):
        # It may be another model now, so that it is asked anew what it can do, by the next request.
        wait_until(lambda: llm_of(model)["state"] == "idle")
        assert content_of(model.ask("Hello")) == "Hi again."
    wait_until(lambda: any(entry["event"] == "server_back" for entry in model.log))
