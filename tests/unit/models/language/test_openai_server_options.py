"""Options that a server does not know: left out, and only those."""

from typing import Any

import pytest

from models.language.llm import ContextOverflow, Done, LlmCall, LlmRefused
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm

MESSAGES = [{"role": "user", "content": "Hello?"}]


def refusing(**complaints: str) -> Any:
    """A script: a body with one of these options is refused with the words for it."""

    def reply(body: dict[str, Any]) -> Reply:
        for option, words in complaints.items():
            if option in body:
                return Reply(status=400, error=words)
        return Reply("ok")

    return reply


async def ask(upstream: LlmServer, *calls: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """The bodies that the server saw while one client made these calls."""
    llm = OpenAiServer(upstream.base_url, model="scripted")
    try:
        for options in calls:
            async for _ in llm.stream(LlmCall(MESSAGES, options=options, **fields)):
                pass
    finally:
        await llm.close()
    return [request.body for request in upstream.requests]


VLLM = (
    "'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum context length is 8192 tokens "
    "and your request has {prompt} input tokens ({asked} > 8192 - {prompt})."
)


def with_context(words: str, most: int) -> Any:
    """A script: a body that asks for more than `most` is refused."""

    def reply(body: dict[str, Any]) -> Reply:
        asked = body.get("max_tokens", 1)
        return Reply("ok") if asked <= most else Reply(status=400, error=words.format(asked=asked, prompt=8192 - most))

    return reply


@pytest.mark.parametrize(
    "words",
    [
        VLLM,
        "max_tokens is too large: {asked}. This model supports at most 8000 completion tokens.",
        "Context size has been exceeded.",
    ],
)
async def test_an_answer_that_there_is_no_room_for_is_asked_for_again_without_a_limit(words: str) -> None:
    call = LlmCall(MESSAGES, options={"max_tokens": 32000, "seed": 1}, is_the_clients=True)
    with serving_llm(with_context(words, 8000)) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        events = [one async for one in llm.stream(call)]
        await llm.close()
    first, second = (request.body for request in upstream.requests)
    assert (first["max_tokens"], second.get("max_tokens"), second["seed"]) == (32000, None, 1)
    assert isinstance(events[-1], Done)
    assert events[-1].note == (
        "The answer may have as many as there is room for tokens, not 32000: the language model's context has no room "
        "for more."
    )


async def test_a_prompt_that_is_too_long_by_itself_is_sent_once() -> None:
    with serving_llm(lambda _: Reply(status=400, error=VLLM.format(asked=20, prompt=9000))) as upstream:
        with pytest.raises(ContextOverflow):
            await ask(upstream, {"max_tokens": 20})
        assert len(upstream.requests) == 1


async def test_a_server_that_lowers_the_limit_by_itself_is_told_of_where_its_context_is_known() -> None:
    with serving_llm(lambda _: Reply("ok")) as upstream:
        known = KnownAbilities(vision=False, tools=False, json_schema=False, context_tokens=4096)
        llm = OpenAiServer(upstream.base_url, model="scripted", abilities=known)
        await llm.abilities()
        notes = []
        for most in (32000, 100):
            call = LlmCall(MESSAGES, options={"max_tokens": most}, is_the_clients=True)
            events = [one async for one in llm.stream(call)]
            assert isinstance(events[-1], Done)
            notes.append(events[-1].note)
        await llm.close()
    # The server says that the prompt has 11 tokens.
    assert notes == [
        "The answer may have 4085 tokens, not 32000: the language model's context has no room for more.",
        None,
    ]


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        "Unrecognized request argument supplied: reasoning_effort",
        "[{'type': 'extra_forbidden', 'loc': ('body', 'reasoning_effort'), 'msg': 'Extra inputs are not permitted'}]",
        "unknown field `reasoning_effort`",
        "This model does not support reasoning_effort.",
        'Invalid JSON payload received. Unknown name "reasoning_effort": Cannot find field.',
        "Failed to deserialize the JSON body into the target type: unknown field `reasoning_effort`, expected `n`",
        "reasoning_effort: Extra inputs are not permitted",
    ],
)
async def test_an_option_refused_by_name_is_left_out_and_remembered(words: str) -> None:
    with serving_llm(refusing(reasoning_effort=words)) as upstream:
        options = {"reasoning_effort": "low", "seed": 1}
        refused, again, second = await ask(upstream, options, options)
    assert "reasoning_effort" in refused
    assert "reasoning_effort" not in again
    assert "reasoning_effort" not in second
    assert again["seed"] == second["seed"] == 1


@pytest.mark.parametrize(
    ("old", "new"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
async def test_the_limit_of_tokens_goes_by_the_name_that_the_server_knows(old: str, new: str) -> None:
    words = f"Unsupported parameter: '{old}' is not supported with this model. Use '{new}' instead."
    with serving_llm(refusing(**{old: words})) as upstream:
        bodies = await ask(upstream, {old: 9}, {old: 8})
    assert [(body.get(old), body.get(new)) for body in bodies] == [(9, None), (None, 9), (None, 8)]


async def test_a_value_that_is_not_supported_is_left_out_of_this_call_alone() -> None:
    def reply(body: dict[str, Any]) -> Reply:
        if body.get("temperature") == 0.5:
            message = "Unsupported value: 'temperature' does not support 0.5 with this model."
            return Reply(
                status=400, error={"error": {"message": message, "param": "temperature", "code": "unsupported_value"}}
            )
        return Reply("ok")

    with serving_llm(reply) as upstream:
        bodies = await ask(upstream, {"temperature": 0.5}, {"temperature": 1})
    assert [body.get("temperature") for body in bodies] == [0.5, None, 1]


async def test_a_value_out_of_range_is_the_clients_fault() -> None:
    with serving_llm(refusing(temperature="temperature must be at most 2")) as upstream:
        with pytest.raises(LlmRefused, match="at most 2"):
            await ask(upstream, {"temperature": 3})
        assert len(upstream.requests) == 1


async def test_tools_and_formats_are_never_left_out() -> None:
    script = refusing(tools="tools is not supported", response_format="response_format is not supported")
    tools = [{"type": "function", "function": {"name": "f"}}]
    with serving_llm(script) as upstream:
        with pytest.raises(LlmRefused):
            await ask(upstream, {}, tools=tools)
        with pytest.raises(LlmRefused):
            await ask(upstream, {}, response_format={"type": "json_object"})
        assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("stop", "stop: List should have at most 4 items, extra items not allowed"),
        ("seed", "Invalid 'seed': unexpected negative value"),
        ("seed", "'seed' is not allowed to be negative"),
        ("user", "the user content is not allowed by our policy"),
        ("user", "This model does not support user messages of that kind."),
        ("user", "Unknown user"),
        ("seed", "Bad name \"x\": Unknown parameter: 'seed'."),
        ("stop", {"detail": [{"loc": ["body", "stop", 4], "msg": "Extra inputs are not permitted"}]}),
        ("seed", {"error": {"message": "Unknown parameter: 'seed'.", "param": "metadata"}}),
    ],
)
async def test_a_refusal_about_one_call_is_passed_on_and_changes_nothing_for_the_others(
    option: str, error: Any
) -> None:
    with serving_llm([Reply(status=400, error=error), Reply("ok")]) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        with pytest.raises(LlmRefused):
            await anext(llm.stream(LlmCall(MESSAGES, options={option: "x"})))
        async for _ in llm.stream(LlmCall(MESSAGES, options={option: "y"})):
            pass
        await llm.close()
        assert [request.body.get(option) for request in upstream.requests] == ["x", "y"]
