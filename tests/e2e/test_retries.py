"""What OpenAI's own client makes of a failure with its default settings: it asks once for what cannot change."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from tests.e2e.conftest import data_url
from tests.e2e.full_model import FullModel, picture_of, schema_of, serving_full_model, system, text_part
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import free_port

PICTURE = picture_of("Platform nine")
TOTAL = schema_of(total={"type": "number"})


@contextlib.contextmanager
def client_of(model: FullModel, **options: Any) -> Iterator[tuple[OpenAI, list[httpx.Request]]]:
    """A client as people make one, `options` aside, and the requests that it has sent."""
    sent: list[httpx.Request] = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    with OpenAI(base_url=f"{model.base_url}/v1", api_key="none", http_client=http, **options) as client:
        yield client, sent


def chat(*messages: Any, **fields: Any) -> Callable[[OpenAI], object]:
    said = [message if isinstance(message, dict) else {"role": "user", "content": message} for message in messages]
    return lambda client: client.chat.completions.create(model="interfaze-beta", messages=said, **fields)  # type: ignore[call-overload,no-any-return]


def task(name: str, *content: Any) -> Callable[[OpenAI], object]:
    return chat(system(f"<task>{name}</task>"), list(content))


PERMANENT = [
    pytest.param(task("forecast", text_part("Forecast 3 days: 1 2 3 4 5 6 7 8")), (), id="missing weights"),
    pytest.param(task("translate", text_part("Into French: Good morning")), (), id="a missing engine"),
    pytest.param(task("web_search", text_part("Search for zanzibar")), (), id="a missing setting"),
    pytest.param(task("object_detection", text_part("Outline the cats"), PICTURE), (), id="an unsupported ability"),
    pytest.param(chat(system("<guard>S1_IMAGE</guard>"), [PICTURE]), (), id="a missing guard"),
    pytest.param(chat("Hello", stream=True), [Reply(status=401)], id="a refused key, streamed"),
    pytest.param(chat("Hello"), [Reply(status=401)], id="a refused key"),
    pytest.param(chat("Hello"), [Reply(status=402)], id="no credit"),
    pytest.param(chat("Hello"), [Reply(status=404)], id="an unknown model"),
    pytest.param(chat("Hello", response_format=TOTAL), [Reply("Nine"), Reply("Ten")], id="a schema not satisfied"),
    pytest.param(
        lambda client: client.moderations.create(
            model="omni-moderation-latest",
            input=[{"type": "image_url", "image_url": {"url": data_url(single_line("nine").encoded())}}],
        ),
        (),
        id="moderation without a guard",
    ),
]


@pytest.mark.parametrize(("call", "replies"), PERMANENT)
def test_what_cannot_change_is_asked_for_once(
    model: FullModel, call: Callable[[OpenAI], object], replies: Sequence[Reply]
) -> None:
    model.script(*replies)
    with client_of(model) as (client, sent), pytest.raises(openai.InternalServerError) as failure:
        call(client)
    assert len(sent) == 1
    assert failure.value.status_code >= 500
    assert "retry-after" not in failure.value.response.headers


@pytest.mark.parametrize(
    ("settings", "replies"),
    [
        ({"llm_base_url": f"http://127.0.0.1:{free_port()}/v1"}, ()),
        ({}, [Reply(status=500)]),
        ({}, [Reply("one two", cut_after=1)]),
        ({}, [Reply(status=429, retry_after=17)]),
        ({"request_timeout_s": 0.3}, [Reply(hang_before_first_byte=True)]),
    ],
    ids=["out of reach", "500", "cut", "busy", "out of time"],
)
def test_what_may_pass_says_when_to_come_back(settings: dict[str, Any], replies: Sequence[Reply]) -> None:
    with serving_full_model(**settings) as model, client_of(model, max_retries=0) as (client, _):
        model.script(*replies)
        with pytest.raises(openai.InternalServerError) as failure:
            chat("Hello")(client)
    headers = failure.value.response.headers
    assert 1 <= int(headers["retry-after"]) <= 60
    assert "x-should-retry" not in headers


def test_the_client_comes_back_by_itself_when_it_was_told_to(model: FullModel) -> None:
    model.script(Reply(status=500), Reply("Hi."))
    with client_of(model) as (client, sent):
        completion = client.chat.completions.create(
            model="interfaze-beta", messages=[{"role": "user", "content": "Hello"}]
        )
    assert completion.choices[0].message.content == "Hi."
    assert len(sent) == 2
