"""Finding out what the model behind an OpenAI-compatible server can do: by what the server says, else by asking.

A question costs some tens of tokens. Accepting a request is not enough: servers drop what they do not know in
silence, so each answer is looked at.
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
    LlmEvent,
    LlmRefused,
    LlmUnavailable,
    TextDelta,
    ToolCallDelta,
)
from models.language.openai_http import ServerPatience

log = structlog.get_logger(__name__)

Ask = Callable[[LlmCall], AsyncGenerator[LlmEvent, None]]
Look = Callable[[str, str, Mapping[str, Any] | None], Awaitable[Mapping[str, Any]]]
"""Method, path beside the API and JSON body, to the object found there; empty where there is none."""

CONTEXT_FIELDS = (
    "max_model_len",  # vLLM, SGLang
    "context_length",  # OpenRouter, Together
    "context_window",  # Groq
    "max_context_length",  # Mistral
)
MAX_TOKENS = 16
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsOtkJzvZ1gi+hcEKLNXzWgQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgvaSCEeGLTzSwAAAABJRU5ErkJggg=="
)
"""64 × 64 pixels of one colour: some vision models refuse less than 28."""


class KnownAbilities(TypedDict, total=False):
    """The abilities that need no finding out."""

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
        """It ran out of tokens while it still reasoned: nothing speaks against it."""
        return not self.text and not self.called


_Question = Callable[..., Awaitable[_Outcome | None]]


async def find_abilities(
    known: KnownAbilities, listed: Mapping[str, Any], model: str, look: Look, ask: Ask, patience: ServerPatience
) -> Abilities:
    """`listed` is the model's entry in the server's list. Raises LlmError when the server does not answer at all.

    What it refuses, breaks on, or does not answer in time although it answered a plain question, it cannot do.
    """
    known = {**await _told(listed, model, look), **known}
    if known.keys() >= {"vision", "tools", "json_schema"}:
        return Abilities(**known)
    # First of all by itself: a server that is not there, or loads its model now, is asked once.
    plain = await _plain_outcome(ask, patience)
    question = partial(_outcome_in_time, ask, min(patience.question_s, patience.first_byte_s))
    return Abilities(
        vision=known["vision"] if "vision" in known else await _sees(question, plain),
        tools=known["tools"] if "tools" in known else await _calls(question),
        json_schema=known["json_schema"] if "json_schema" in known else await _decodes(question),
        context_tokens=known.get("context_tokens"),
    )


async def _told(listed: Mapping[str, Any], model: str, look: Look) -> KnownAbilities:
    """What the server says by itself."""
    told: KnownAbilities = {}
    for name in CONTEXT_FIELDS:
        if isinstance(context := listed.get(name), int):
            told["context_tokens"] = context
            return told
    if listed.get("owned_by") == "llamacpp":
        # Its list has the context that the model was trained with; a slot may be given less.
        properties = await look("GET", "/props", None)
        if isinstance(context := properties.get("default_generation_settings", {}).get("n_ctx"), int):
            told["context_tokens"] = context
        if isinstance(vision := properties.get("modalities", {}).get("vision"), bool):
            told["vision"] = vision
    elif shown := await look("POST", "/api/show", {"model": model}):
        # Ollama. The context it says is the model's, not what it was loaded with: better none than a wrong one.
        capabilities = shown.get("capabilities") or []
        told["vision"] = "vision" in capabilities
        told["tools"] = "tools" in capabilities
    return told


async def _sees(question: _Question, plain: _Outcome) -> bool:
    picture = {"type": "image_url", "image_url": {"url": PICTURE}}
    seen = await question([{"type": "text", "text": "Say hello."}, picture])
    if seen is None:
        return False
    if seen.prompt_tokens is None or plain.prompt_tokens is None:
        return True
    # A server that drops pictures in silence counts no tokens for them.
    return seen.prompt_tokens > plain.prompt_tokens


async def _calls(question: _Question) -> bool:
    function = {"name": "ping", "description": "Say that you are there.", "parameters": {"type": "object"}}
    tools = ({"type": "function", "function": function},)
    # vLLM forces calls even where it is not set up to find those that a model makes of its own accord.
    if await question("Say hello.", tools=tools, tool_choice="auto") is None:
        return False
    forced = await question("Call the function ping.", tools=tools, tool_choice="required")
    return forced is not None and (forced.called or forced.is_silent)


async def _decodes(question: _Question) -> bool:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "string", "enum": ["yes"]}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "probe", "strict": True, "schema": schema}}
    # The words do not ask for JSON: only a constrained answer begins with a brace.
    outcome = await question("Say hello.", response_format=form)
    return outcome is not None and (outcome.is_silent or outcome.text.lstrip().startswith("{"))


_REFUSES_ALL = (
    "The language model's server refuses a plain question: look at OPENFAZE_LLM_MODEL, and at what `openfaze doctor` "
    "says on this server."
)


async def _plain_outcome(ask: Ask, patience: ServerPatience) -> _Outcome:
    try:
        async with asyncio.timeout(patience.first_byte_s + patience.question_s):
            return await _outcome(ask, "Say hello.")
    except LlmRefused as refused:
        raise LlmUnavailable(f"The LLM server refuses a plain question: {refused}", public=_REFUSES_ALL) from None
    except TimeoutError:
        raise LlmUnavailable("The LLM server did not answer a plain question in time.") from None


async def _outcome_in_time(ask: Ask, question_s: float, content: object, **fields: Any) -> _Outcome | None:
    try:
        async with asyncio.timeout(question_s):
            return await _outcome(ask, content, **fields)
    except (LlmRefused, LlmBroke):
        return None
    except TimeoutError:
        log.warning("llm_question_unanswered", about=sorted(fields) or "image_url", within_s=question_s)
        return None


async def _outcome(ask: Ask, content: object, **fields: Any) -> _Outcome:
    """Raises LlmError."""
    call = LlmCall([{"role": "user", "content": content}], options={"max_tokens": MAX_TOKENS}, **fields)
    text, called, prompt_tokens = "", False, None
    async with contextlib.aclosing(ask(call)) as events:
        async for event in events:
            match event:
                case TextDelta():
                    text += event.text
                case ToolCallDelta():
                    called = True
                case Done():
                    prompt_tokens = event.prompt_tokens
    return _Outcome(text, called, prompt_tokens)
