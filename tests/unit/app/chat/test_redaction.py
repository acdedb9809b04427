"""One request without personal data: what it says, what is read for it, and what of an answer leaves when."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest

from app.chat.inputs import latest_turn
from app.chat.redaction import Redaction
from app.chat.request_guard import RequestGuard
from app.chat.shape import NotFoundInInput
from app.events import Event, Finish, Precontext, ReasoningChunk, TextChunk
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.safety.guard import ImageGuard
from models.workers.pool import Workers
from tasks.guardrails import Guardrails
from tasks.inputs.loader import MediaLoader
from tasks.precontext import Evidence
from tests.kit.chats.entries import entry_of, failure_of
from tests.kit.chats.inquiries import inquiry_of
from tests.kit.engines.keyword_guards import KeywordGuard
from tests.unit.app.chat.test_inputs import image

Make = Callable[..., RequestGuard]

FINISH = Finish("stop", 7, 3)
LOGPROBS = {"content": [{"token": "x", "logprob": -0.5}]}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def request_of(*messages: Any, **fields: Any) -> ChatRequest:
    said = [message if isinstance(message, dict) else user(message) for message in messages]
    return ChatRequest.model_validate({"model": "auto", "messages": said, **fields})


@pytest.fixture
def make(loader: MediaLoader, keywords: KeywordGuard) -> Make:
    def no_pictures() -> list[ImageGuard]:
        raise EngineUnavailable("image_guard", "Set one up.")

    def make_guard(*messages: Any, codes: Sequence[str] = ("S1", "S9"), **fields: Any) -> RequestGuard:
        request = request_of(*(messages or ("Hm?",)), **fields)
        guardrails = Guardrails(lambda: [keywords], no_pictures, loader, seconds=60)
        return RequestGuard(guardrails, inquiry_of(request, codes=codes, redaction=Redaction(Workers())))

    return make_guard


async def said(*events: Event) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event


async def shown(guard: RequestGuard, *events: Event) -> list[Event]:
    return [event async for event in guard.check_answer(said(*events)) if not isinstance(event, Precontext)]


def text_of(events: Sequence[Event], kind: type = TextChunk) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


async def test_the_part_of_an_answer_in_an_error_has_no_personal_data(make: Make) -> None:
    async def missing() -> AsyncGenerator[Event, None]:
        raise NotFoundInInput("/day", {"to": "ann@example.org", "card": 4111111111111111, "day": None})
        yield

    with pytest.raises(NotFoundInInput) as error:
        await anext(make().check_answer(missing()))
    assert error.value.partial == {"to": "[EMAIL]", "card": "[CARD]", "day": None}


# The request.


async def test_what_users_and_tools_say_goes_on_without_personal_data() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"to":"ann@example.org"}'}}
    request = request_of(
        {"role": "system", "content": "Help desk: help@example.org"},
        "I am ann@example.org",
        {"role": "assistant", "content": "Hi ann@example.org", "tool_calls": [call]},
        {"role": "tool", "content": "card 4111 1111 1111 1111", "tool_call_id": "c"},
        user([{"type": "text", "text": "Phone:"}, image("http://x/a.png"), {"type": "text", "text": "2127365000"}]),
        user=" ann@example.org",
        stop=["ann@example.org", "END"],
    )
    before = request.model_dump()
    turn = latest_turn(request, 16)
    redaction = Redaction(Workers())
    redone, redone_turn = await redaction.of_request(request, turn)
    assert [message.content for message in redone.messages[:4]] == [
        "Help desk: help@example.org",
        "I am [EMAIL]",
        "Hi [EMAIL]",
        "card [CARD]",
    ]
    assert redone.messages[2].tool_calls is not None
    assert redone.messages[2].tool_calls[0].function.arguments == '{"to":"[EMAIL]"}'
    assert redone_turn.text == "Phone:\n[PHONE]"
    assert redone_turn.sources == turn.sources
    assert redone.user == " [EMAIL]"
    assert redone.stop == ["[EMAIL]", "END"]
    assert request.model_dump() == before
    assert redaction.checks == [
        {"source": source, "codes": [], "scores": {}, "redacted": redacted}
        for source, redacted in [
            ("messages[1].content", {"EMAIL": 1}),
            ("messages[2].content", {"EMAIL": 1}),
            ("messages[2].tool_calls", {"EMAIL": 1}),
            ("messages[3].content", {"CARD": 1}),
            ("messages[4].content", {"PHONE": 1}),
            ("user", {"EMAIL": 1}),
            ("stop", {"EMAIL": 1}),
        ]
    ]


# Results.


async def test_results_are_redacted_then_judged(make: Make, keywords: KeywordGuard) -> None:
    guard = make()
    found = [
        entry_of("web_search", [{"content": "ann@example.org"}]),
        failure_of("scraper", "http://x/?to=ann@example.org cannot be fetched"),
    ]
    redone = await guard.check_results(found)
    assert list(redone) == [
        entry_of("web_search", [{"content": "[EMAIL]"}]),
        failure_of("scraper", "http://x/?to=[EMAIL] cannot be fetched"),
    ]
    assert all("ann@" not in text for text, _, _ in keywords.judged)
    assert guard.entry.result.data["safe"]
    assert guard.entry.result.data["checks"][-2:] == [
        {"source": "web_search", "codes": [], "scores": {}, "redacted": {"EMAIL": 1}},
        {"source": "scraper", "codes": [], "scores": {}, "redacted": {"EMAIL": 1}},
    ]


# The answer.


async def test_a_whole_answer_is_redacted_at_its_end(make: Make) -> None:
    guard = make(reasoning_effort="low")
    events = await shown(
        guard,
        ReasoningChunk("Ann is ann@exam"),
        ReasoningChunk("ple.org."),
        TextChunk("Call +49 ", LOGPROBS),
        TextChunk("170 1234567", LOGPROBS),
        TextChunk(" now.", LOGPROBS),
        FINISH,
    )
    assert events == [
        ReasoningChunk("Ann is [EMAIL]"),
        ReasoningChunk("."),
        TextChunk("Call [PHONE]"),
        TextChunk(" now.", LOGPROBS),
        FINISH,
    ]
    checks = guard.entry.result.data["checks"]
    assert {check["source"]: check["redacted"] for check in checks if "redacted" in check} == {
        "answer": {"PHONE": 1},
        "reasoning": {"EMAIL": 1},
    }


async def test_a_structured_answer_stays_json_and_its_evidence_agrees(make: Make) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    explanation = {"pointer": "/mail", "candidates": ({"text": "ann@example.org"},)}
    evidence = Evidence({"/mail": {"text": "ann@example.org", "score": 1.0}}, ["/ann@example.org"], explanation)
    for stream in (False, True):
        events = await shown(
            make(response_format=form, stream=stream),
            TextChunk('{"mail": "x.\\n ann\\u0040example.org", "phone": 2127365000, "n": 1.50}'),
            evidence,
            FINISH,
        )
        assert events == [
            TextChunk('{"mail": "x.\\n [EMAIL]", "phone": "[PHONE]", "n": 1.50}'),
            Evidence(
                {"/mail": {"text": "[EMAIL]", "score": 1.0}},
                ["/[EMAIL]"],
                {"pointer": "/mail", "candidates": ({"text": "[EMAIL]"},)},
            ),
            FINISH,
        ]


STREAMED = (
    "Write to ann.lee@mail.example.org. Or call +49 170 123 4567. Pay with 4111 1111 1111 1111. "
    "Or to DE89 3704 0044 0532 0130 00! Tel.: 2127365000. His SSN? 536-22-1234.\nOrder 12. 34 are left. AB 12 34 56 C. "
    "End"
)
REDACTED = (
    "Write to [EMAIL]. Or call [PHONE]. Pay with [CARD]. Or to [IBAN]! Tel.: [PHONE]. His SSN? [ID].\n"
    "Order 12. 34 are left. [ID]. End"
)


@pytest.mark.parametrize("size", [1, 3, 7, 16, 64])
@pytest.mark.parametrize("kind", [TextChunk, ReasoningChunk])
async def test_however_an_answer_is_cut_it_is_redacted_alike(make: Make, size: int, kind: type) -> None:
    pieces = [STREAMED[at : at + size] for at in range(0, len(STREAMED), size)]
    guard = make(stream=True, reasoning_effort="low")
    events = await shown(guard, *map(kind, pieces), FINISH)
    assert text_of(events, kind) == REDACTED
    assert events[-1] == FINISH
    if size < 7:
        assert len(events) > 10
