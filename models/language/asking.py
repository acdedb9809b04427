"""Asks an LLM for an answer in a certain form, and asks once more if it gets a different one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import structlog

from models.language.llm import Llm, LlmCall, TextDelta

AnswerT = TypeVar("AnswerT")

log = structlog.get_logger(__name__)


class UnfitAnswer(Exception):
    """Raised if an answer does not have the requested form. The message tells the LLM what is wrong, and to answer
    again."""


async def ask_in_form(
    llm: Llm,
    messages: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    read: Callable[[str], AnswerT],
    *,
    max_tokens: int,
) -> AnswerT:
    """Return what `read` makes of the LLM's answer, which is decoded under the JSON `schema` if the LLM can do so.

    If `read` raises UnfitAnswer, the LLM is asked once more. Raises LlmError, and UnfitAnswer for the second answer.
    """
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    response_format = form if (await llm.abilities()).json_schema else None
    options = {"temperature": 0, "max_tokens": max_tokens}
    first = await _answer_text(llm, LlmCall(list(messages), response_format=response_format, options=options))
    try:
        return read(first)
    except UnfitAnswer as error:
        log.info("llm_answer_unfit", llm=llm.name)
        complaint = [{"role": "assistant", "content": first}, {"role": "user", "content": str(error)}]
    second = LlmCall([*messages, *complaint], response_format=response_format, options=options)
    return read(await _answer_text(llm, second))


def outermost_object(text: str) -> str:
    """Return the part of `text` from its first to its last brace, because an LLM may put words or a fence around its
    answer; an empty text if there are none."""
    return text[text.find("{") : text.rfind("}") + 1]


async def _answer_text(llm: Llm, call: LlmCall) -> str:
    async with aclosing(llm.stream(call)) as events:
        return "".join([event.text async for event in events if isinstance(event, TextDelta)])
