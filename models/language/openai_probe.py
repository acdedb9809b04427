"""Determines what the model behind an OpenAI-compatible server can do, from the server's own statements or else by
questions.

A question costs some tens of tokens. An accepted request proves nothing, because servers silently drop unknown fields,
so each answer is checked.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import structlog

from models.language.llm import (
    Abilities,
    Done,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmEvent,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
    ToolCallDelta,
)
from models.language.openai_http import OpenAiHttp

log = structlog.get_logger(__name__)

AskModel = Callable[[LlmCall], AsyncGenerator[LlmEvent, None]]
CONTEXT_FIELDS = (
    "max_model_len",  # vLLM, SGLang
    "context_length",  # OpenRouter, Together
    "context_window",  # Groq
    "max_context_length",  # Mistral
)
MAX_ANSWER_TOKENS = 16
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsOtkJzvZ1gi+hcEKLNXzWgQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgvaSCEeGLTzSwAAAABJRU5ErkJggg=="
)
"""A picture of 64 × 64 pixels in one colour. Some vision models refuse pictures of less than 28 × 28."""
_REFUSES_ALL = (
    "The language model's server refuses a plain question: look at OPENFAZE_LLM_MODEL, and at what `openfaze doctor` "
    "says on this server."
)


class KnownAbilities(TypedDict, total=False):
    """Abilities that are known without asking."""

    vision: bool
    tools: bool
    json_schema: bool
    context_tokens: int


ABILITIES = KnownAbilities.__annotations__.keys()


@dataclass(frozen=True, slots=True)
class _Outcome:
    text: str
    called: bool
    prompt_tokens: int | None

    @property
    def is_silent(self) -> bool:
        """True if the model ran out of tokens while it was still reasoning, which proves nothing about the ability."""
        return not self.text and not self.called


_Question = Callable[..., Awaitable[_Outcome | None]]


async def find_abilities(known: KnownAbilities, http: OpenAiHttp, ask: AskModel) -> Abilities:
    """Return the abilities of a model: those that are `known`, and the others by questions. Raises LlmError if the
    server does not answer the plain question, or is unreachable or busy at a later one.

    The model also counts as lacking an ability if the server refuses its question, breaks off the answer, or does not
    answer in time although it answered the plain question.
    """
    patience = http.patience
    if known.keys() >= {"vision", "tools", "json_schema"}:
        return Abilities(**known)
    # The plain question is asked first and alone, so that a server that is away, or still loading its model, gets only
    # one question.
    try:
        async with asyncio.timeout(patience.first_byte_s + patience.question_s):
            plain = await _outcome(ask, "Say hello.")
    except LlmRefused as refused:
        raise LlmUnavailable(f"The LLM server refuses a plain question: {refused}", public=_REFUSES_ALL) from None
    except TimeoutError:
        raise LlmUnavailable("The LLM server did not answer a plain question in time.") from None
    question = partial(_outcome_in_time, ask, min(patience.question_s, patience.first_byte_s))
    return Abilities(
        vision=known["vision"] if "vision" in known else await _can_see(question, plain),
        tools=known["tools"] if "tools" in known else await _can_call(question),
        json_schema=known["json_schema"] if "json_schema" in known else await _can_decode(question),
        context_tokens=known.get("context_tokens"),
    )


async def stated_abilities(listed: Mapping[str, Any], model: str, http: OpenAiHttp) -> KnownAbilities:
    """Return the abilities that the server itself states of a model, whose entry in the server's list is `listed`."""
    abilities: KnownAbilities = {}
    for name in CONTEXT_FIELDS:
        if isinstance(context := listed.get(name), int):
            abilities["context_tokens"] = context
            return abilities
    if listed.get("owned_by") == "llamacpp":
        # llama.cpp's list states the context with which the model was trained. A slot may have less.
        properties = await _found_beside_api(http, "GET", "/props")
        if isinstance(context := properties.get("default_generation_settings", {}).get("n_ctx"), int):
            abilities["context_tokens"] = context
        if isinstance(vision := properties.get("modalities", {}).get("vision"), bool):
            abilities["vision"] = vision
    elif shown := await _found_beside_api(http, "POST", "/api/show", {"model": model}):
        # Ollama states the model's own context, not the one with which it was loaded. An unknown context is better than
        # a wrong one.
        capabilities = shown.get("capabilities") or []
        abilities["vision"] = "vision" in capabilities
        abilities["tools"] = "tools" in capabilities
    return abilities


async def _found_beside_api(
    http: OpenAiHttp, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Return the JSON object at a path on the server outside its API; empty if there is none. A failure is ignored,
    because not every kind of server has the path; the questions to the model will reveal a fault."""
    try:
        async with asyncio.timeout(http.patience.question_s):
            found = await http.json(method, http.url.copy_with(path=http.url.path.removesuffix("/v1") + path), body)
    except (LlmError, TimeoutError):
        return {}
    return found if isinstance(found, dict) else {}


async def _can_see(question: _Question, plain: _Outcome) -> bool:
    picture = {"type": "image_url", "image_url": {"url": PICTURE}}
    seen = await question([{"type": "text", "text": "Say hello."}, picture])
    if seen is None:
        return False
    if seen.prompt_tokens is None or plain.prompt_tokens is None:
        return True
    # A server that silently drops pictures does not count tokens for them.
    return seen.prompt_tokens > plain.prompt_tokens


async def _can_call(question: _Question) -> bool:
    function = {"name": "ping", "description": "Say that you are there.", "parameters": {"type": "object"}}
    tools = ({"type": "function", "function": function},)
    # vLLM forces calls even when it is not configured to detect calls that a model makes by itself.
    if await question("Say hello.", tools=tools, tool_choice="auto") is None:
        return False
    forced = await question("Call the function ping.", tools=tools, tool_choice="required")
    return forced is not None and (forced.called or forced.is_silent)


async def _can_decode(question: _Question) -> bool:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "string", "enum": ["yes"]}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "probe", "strict": True, "schema": schema}}
    # The prompt does not ask for JSON, so only a constrained answer begins with a brace.
    outcome = await question("Say hello.", response_format=form)
    return outcome is not None and (outcome.is_silent or outcome.text.lstrip().startswith("{"))


async def _outcome_in_time(ask: AskModel, question_s: float, content: object, **fields: Any) -> _Outcome | None:
    try:
        async with asyncio.timeout(question_s):
            return await _outcome(ask, content, **fields)
    except (LlmRefused, LlmBroke):
        return None
    except TimeoutError:
        log.warning("llm_question_unanswered", about=sorted(fields) or "image_url", within_s=question_s)
        return None


async def _outcome(ask: AskModel, content: object, **fields: Any) -> _Outcome:
    """Return the outcome of one question. Raises LlmError."""
    call = LlmCall([{"role": "user", "content": content}], options={"max_tokens": MAX_ANSWER_TOKENS}, **fields)
    text, has_called, prompt_tokens = "", False, None
    async with contextlib.aclosing(ask(call)) as events:
        async for event in events:
            match event:
                case TextDelta():
                    text += event.text
                case ToolCallDelta():
                    has_called = True
                case Done():
                    prompt_tokens = event.prompt_tokens
    return _Outcome(text, has_called, prompt_tokens)
